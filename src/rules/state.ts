import type { Lasting } from "./follow.js";
import type { Message } from "./pending.js";
import type { WatermarkState } from "./watermark.js";

/** Messages that changed nothing, by why. */
export interface Dropped {
  /** Came after their time was evaluated. */
  late: number;
  /** Repeated a begin. */
  duplicate: number;
  /** Updated or ended an event that does not last. */
  orphan: number;
  /** Ended the oldest of too many events of one signal. */
  superseded: number;
  /** Were more than an hour ahead of the clock. */
  ahead: number;
  /** Had to wait although too many waited: evaluation went on before its time. */
  hurried: number;
}

/** An alert that has begun and not ended. */
export interface OpenAlert {
  readonly id: string;
  readonly because: readonly string[];
  readonly values: Readonly<Record<string, number>>;
}

/** What one rule remembers. */
export interface RuleState {
  /** The rule's text: a rule that reads differently has no use for it. */
  readonly text: string;
  readonly values: readonly number[];
  readonly memory: readonly number[];
  /** Begins inside the window of each `count`. */
  readonly rings: readonly (readonly number[])[];
  /** Next time of evaluation; null if nothing is due. */
  readonly due: number | null;
  /** Since when the condition holds; null if it does not. */
  readonly since: number | null;
  /** When the last alert that was not suppressed began. */
  readonly began: number | null;
  readonly alert: OpenAlert | null;
}

/** What is known of one signal. */
export interface SignalState {
  readonly open: readonly Lasting[];
  readonly ended: readonly Lasting[];
  readonly score: number;
}

/** The whole state of a rule engine: plain data, JSON, to be saved, compared and restored at any time. */
export interface State {
  readonly v: 1;
  readonly node: string;
  /** Start of the trace; null before its first event. */
  readonly start: number | null;
  /** The earliest time told before the start is settled. */
  readonly earliest: number | null;
  /** Every time before it is evaluated. */
  readonly through: number;
  readonly clock: number | null;
  /** Number of the next alert message. */
  readonly seq: number;
  readonly dropped: Readonly<Dropped>;
  readonly watermark: WatermarkState;
  readonly pending: readonly Message[];
  readonly signals: Readonly<Record<string, SignalState>>;
  readonly rules: Readonly<Record<string, RuleState>>;
}
