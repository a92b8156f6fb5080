import type { Alert } from "../core/alert.js";
import type { Event } from "../core/event.js";
import { type Micros, s } from "../core/time.js";
import { Board } from "./board.js";
import type { Input } from "./input.js";
import { limits } from "./limits.js";
import { type Message, Pending } from "./pending.js";
import type { Compiled } from "./program.js";
import type { Dropped } from "./state.js";
import { type Patience, Watermark } from "./watermark.js";

export interface EngineOptions extends Partial<Patience> {
  /** Named in alerts; without it, the node of the first event. */
  readonly node?: string | undefined;
  /** Start of the trace; without it, its first event. */
  readonly start?: Micros | undefined;
}

const none: readonly Alert[] = Object.freeze([]);

export const defaultPatience: Patience = { lateness: s(2), idle: s(5) };

/**
 * The incremental evaluator, with its state inside: `step` (src/rules/step.ts) is the same as a pure function. It brings
 * messages into the order of their time and evaluates, up to the watermark, every time at which something changes.
 * Memory is bounded by src/rules/limits.ts.
 */
export class Engine {
  readonly patience: Patience;
  readonly board: Board;
  /** Start of the trace, null before its first message is evaluated; until then, the earliest time told. */
  start: number | null = null;
  earliest: number | null = null;
  /** Every time before it is evaluated. */
  through = 0;
  clock: number | null = null;
  watermark: Watermark;
  readonly pending = new Pending();

  constructor(
    compiled: Compiled,
    { node = "", start, lateness = defaultPatience.lateness, idle = defaultPatience.idle }: EngineOptions = {},
  ) {
    this.patience = { lateness, idle };
    this.board = new Board(compiled, node);
    this.watermark = new Watermark(this.patience);
    if (start !== undefined) this.begin(start);
  }

  /** Messages that changed nothing, by why. */
  get dropped(): Dropped {
    return this.board.dropped;
  }

  /** Tells the engine one thing; returns the alert messages that are settled by it, in order of time. */
  push(input: Input): readonly Alert[] {
    this.take(input);
    return this.board.settled.length === 0 ? none : this.board.hand();
  }

  private take(input: Input): void {
    switch (input.kind) {
      case "event":
        this.hear(input.event);
        break;
      case "status":
        this.wait(input);
        break;
      case "time":
        this.pass(input);
        break;
      case "end":
        this.evaluateBefore(Number.POSITIVE_INFINITY);
        break;
      case "stop":
        this.evaluateBefore(input.at + 1);
        this.board.close(input.at);
        break;
      default:
        input satisfies never;
    }
  }

  private hear(event: Event): void {
    if (this.clock !== null && event.at > this.clock + limits.ahead) {
      this.dropped.ahead++;
      return;
    }
    if (this.board.node === "") this.board.node = event.node;
    this.wait(event);
    this.evaluateBefore(this.watermark.hear(event.sensor, event.at as Micros));
  }

  private pass({ sensor, at }: { readonly sensor?: string; readonly at: Micros }): void {
    if (sensor === undefined) this.clock = Math.max(this.clock ?? 0, at);
    this.evaluateBefore(sensor === undefined ? this.watermark.tick(at) : this.watermark.hear(sensor, at));
  }

  private wait(message: Message): void {
    if (message.at < this.through) {
      this.dropped.late++;
      return;
    }
    if (this.start === null && (this.earliest === null || message.at < this.earliest)) this.earliest = message.at;
    if (!this.board.follows(message)) return;
    this.pending.add(message);
    if (this.pending.size <= limits.pending) return;
    this.dropped.hurried++;
    this.evaluateBefore(this.pending.next + 1);
  }

  /** The trace starts: a signal that is true now begins now. */
  private begin(start: number): void {
    this.start = start;
    this.through = Math.max(this.through, start);
    this.board.start(start);
  }

  /** Evaluates every time before `to` at which something changes, in order. */
  private evaluateBefore(to: number): void {
    if (this.start === null && this.earliest !== null && this.earliest < to) this.begin(this.earliest);
    for (;;) {
      const time = Math.min(this.pending.next, this.board.next);
      if (!(time < to)) break;
      while (this.pending.next === time) this.board.apply(this.pending.take());
      this.board.evaluate(time);
      this.through = time + 1;
    }
    if (Number.isFinite(to) && to > this.through) this.through = to;
  }
}
