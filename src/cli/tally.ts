import type { RunMessage } from "../pipeline/run.js";

/** What a run came to. */
export interface Summary {
  readonly windows: number;
  readonly lostWindows: number;
  /** Windows a second of running time. */
  readonly windowsPerSecond: number;
  readonly seconds: number;
  readonly events: number;
  readonly alerts: number;
  /** Windows by sensor. */
  readonly bySensor: Readonly<Record<string, number>>;
}

/** Counts the messages of a run. */
export class Tally {
  readonly #bySensor: Record<string, number> = {};
  #windows = 0;
  #lost = 0;
  #events = 0;
  #alerts = 0;

  add(message: RunMessage): void {
    if (message.kind === "embedding") {
      const { sensor } = message.embedding;
      this.#windows += 1;
      this.#bySensor[sensor] = (this.#bySensor[sensor] ?? 0) + 1;
    }
    if (message.kind === "lost") this.#lost += 1;
    if (message.kind === "event" && message.event.phase === "begin") this.#events += 1;
    if (message.kind === "alert" && message.alert.phase === "begin") this.#alerts += 1;
  }

  summary(seconds: number): Summary {
    return {
      windows: this.#windows,
      lostWindows: this.#lost,
      windowsPerSecond: Number((this.#windows / Math.max(seconds, 1e-3)).toFixed(1)),
      seconds: Number(seconds.toFixed(2)),
      events: this.#events,
      alerts: this.#alerts,
      bySensor: this.#bySensor,
    };
  }
}

/** The summary as a person reads it. */
export function summaryText({
  windows,
  lostWindows,
  windowsPerSecond,
  seconds,
  events,
  alerts,
  bySensor,
}: Summary): string {
  const sensors = Object.entries(bySensor).map(([sensor, count]) => `${sensor} ${count}`);
  const lost = lostWindows > 0 ? `, ${lostWindows} lost` : "";
  const perSensor = sensors.length > 0 ? `: ${sensors.join(", ")}` : "";
  return `${windows} windows in ${seconds} s (${windowsPerSecond} a second${lost})${perSensor}; ${events} events, ${alerts} alerts`;
}
