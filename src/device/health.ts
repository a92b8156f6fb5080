import { isSenseError } from "../core/errors.js";
import type { Reading } from "../core/reading.js";
import type { Micros } from "../core/time.js";
import type { DeviceFacts } from "./define.js";

export type SensorState = "ok" | "stalled" | "absent" | "error";

/** How a sensor is. Counts are totals since the start, over all its reopenings. */
export interface SensorHealth {
  readonly state: SensorState;
  /** Why, in a sentence, where the state is not ok. */
  readonly reason: string | undefined;
  readonly since: Micros;
  readonly readings: number;
  /** Readings that gave way because the reader was too slow. */
  readonly dropped: number;
  /** What the device lost, and what came damaged, as far as it can tell. */
  readonly lost: number;
  readonly corrupt: number;
  readonly reopened: number;
  /** Frames, or samples of a block, a second of event time. */
  readonly rateHz: number | undefined;
  /** What the device said last. */
  readonly facts: DeviceFacts;
}

/** The state that a failure to open or to go on means. */
export function stateOf(error: unknown): "absent" | "error" {
  return isSenseError(error, "DEVICE_ABSENT") ? "absent" : "error";
}

/** The rate of the last readings, by their event times. */
export class RateMeter {
  readonly #recent: { time: Micros; samples: number }[] = [];

  add(reading: Reading): void {
    const samples = reading.kind === "block" ? reading.data.length / reading.channels.length : 1;
    this.#recent.push({ time: reading.time, samples });
    if (this.#recent.length > 32) this.#recent.shift();
  }

  get rateHz(): number | undefined {
    const [first, last] = [this.#recent[0], this.#recent.at(-1)];
    if (!first || !last || last.time <= first.time) return undefined;
    const samples = this.#recent.reduce((sum, reading) => sum + reading.samples, -last.samples);
    return Number(((samples * 1e6) / (last.time - first.time)).toPrecision(5));
  }
}
