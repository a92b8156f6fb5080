import { endOf, type Reading } from "../core/reading.js";
import { type Clock, type Duration, type Micros, micros } from "../core/time.js";
import { pause } from "./pause.js";

/** Where a sequence that is played as fast as it goes begins unless told: at the start of the year 2000, the same in every run. */
export const fixedStart = micros(Date.UTC(2000, 0, 1) * 1e3);

export interface PaceOptions {
  readonly pace: "realtime" | "fast";
  /** What the times of the readings count from. */
  readonly origin?: Micros;
  /** Where they are moved to: now in real time, a fixed instant otherwise, unless given. */
  readonly start?: Micros | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Moves a recorded sequence to its place in time; in real time each reading comes when it would have: a frame at its time, a block
 * after its last sample.
 */
export async function* paced(readings: AsyncIterable<Reading>, options: PaceOptions): AsyncGenerator<Reading> {
  const { pace, clock, signal, origin = micros(0) } = options;
  const now = clock.now();
  const start = options.start ?? (pace === "realtime" ? now : fixedStart);
  for await (const reading of readings) {
    if (signal.aborted) return;
    const wait = endOf(reading) - origin - (clock.now() - now);
    if (pace === "realtime" && wait > 0) await pause(wait as Duration, signal);
    if (signal.aborted) return;
    yield { ...reading, time: micros(start + reading.time - origin) };
  }
}
