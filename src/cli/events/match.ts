import type { Duration, Micros } from "../../core/time.js";
import type { Label } from "./labels.js";

/** A recognised event, whole. */
export interface Span {
  readonly sensor: string;
  readonly concept: string;
  readonly from: Micros;
  readonly to: Micros;
  /** When it was told that it began. */
  readonly told: Micros;
}

/** How well events and labels agree, of one concept or of all. */
export interface EventReport {
  readonly labels: number;
  readonly found: number;
  readonly recall: number;
  readonly events: number;
  readonly falseAlarms: number;
  readonly precision: number;
  readonly falseAlarmsPerHour: number;
  /** From the begin of a label to the message, over the labels that were found; 0 where it came before. */
  readonly latencySeconds: { readonly median: number; readonly p90: number } | undefined;
}

export interface MatchOptions {
  /** How long the sensors were watched. */
  readonly hours: number;
  /** How far an event may be from its label. */
  readonly tolerance: Duration;
}

/** True where an event is about a label: its concept, its sensor if it names one, and at its time. */
export const concerns = (label: Label, span: Pick<Span, "sensor" | "concept" | "from" | "to">, tolerance: Duration) =>
  label.concept === span.concept &&
  (label.sensor ?? span.sensor) === span.sensor &&
  span.to >= label.from - tolerance &&
  span.from <= label.to + tolerance;

/** A label is found by any event at its time; an event is true by any label; a label that was found twice counts once. */
export function matchEvents(labels: readonly Label[], spans: readonly Span[], options: MatchOptions): EventReport {
  const { hours, tolerance } = options;
  const firsts = labels.map((label) => {
    const own = spans.filter((span) => concerns(label, span, tolerance));
    return own.length === 0 ? undefined : Math.min(...own.map(({ told }) => Math.max(0, told - label.from)));
  });
  const latencies = firsts.filter((latency) => latency !== undefined).sort((a, b) => a - b);
  const wrong = spans.filter((span) => !labels.some((label) => concerns(label, span, tolerance))).length;
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))]! / 1e6;
  return {
    labels: labels.length,
    found: latencies.length,
    recall: labels.length === 0 ? 1 : latencies.length / labels.length,
    events: spans.length,
    falseAlarms: wrong,
    precision: spans.length === 0 ? 1 : (spans.length - wrong) / spans.length,
    falseAlarmsPerHour: wrong / hours,
    latencySeconds: latencies.length === 0 ? undefined : { median: at(0.5), p90: at(0.9) },
  };
}
