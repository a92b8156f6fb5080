import { printDuration } from "../../core/duration.js";
import { SenseError } from "../../core/errors.js";
import type { Duration } from "../../core/time.js";
import { ms, us } from "../../core/time.js";
import type { Anchor, Match, Sensed } from "./pair.js";

export interface MatchOptions {
  /** The furthest apart that a window and a frame may be; 250 ms unless given. */
  readonly tolerance?: Duration;
  /** How far the sensor's clock may be off the camera's, as measured; 0 unless given. */
  readonly clockError?: Duration;
}

/** The same, of which each may be left out. */
export type ClockOptions = { readonly [K in keyof MatchOptions]: MatchOptions[K] | undefined };

const usualTolerance = ms(250);

/**
 * Each window with the frame nearest to it in event time, where one is within the tolerance; in order of time. Throws
 * `CLOCKS_APART` where the tolerance does not cover the clock error, or where both streams run but never meet.
 */
export function matchByTime(
  windows: readonly Sensed[],
  anchors: readonly Anchor[],
  options: MatchOptions = {},
): readonly Match[] {
  const { tolerance } = checkClocks(options);
  const frames = [...anchors].sort((a, b) => a.time - b.time);
  const matches: Match[] = [];
  let at = 0;
  let nearest = Number.POSITIVE_INFINITY;
  for (const { time, input } of [...windows].sort((a, b) => a.time - b.time)) {
    while (at + 1 < frames.length && apart(frames[at + 1]!, time) <= apart(frames[at]!, time)) at++;
    const frame = frames[at];
    if (frame === undefined) break;
    nearest = Math.min(nearest, apart(frame, time));
    if (apart(frame, time) <= tolerance) matches.push({ time, sensor: input, anchor: frame.vector });
  }
  if (matches.length === 0 && Number.isFinite(nearest)) throw strangers(tolerance, us(nearest));
  return matches;
}

/** Throws `CLOCKS_APART` where the tolerance does not cover the clock error. */
export function checkClocks({ tolerance = usualTolerance, clockError = us(0) }: ClockOptions): { tolerance: Duration } {
  if (Math.abs(clockError) <= tolerance) return { tolerance };
  throw untrusted(tolerance, clockError);
}

const apart = (frame: Anchor, time: number): number => Math.abs(frame.time - time);

const untrusted = (tolerance: Duration, clockError: Duration): SenseError =>
  new SenseError(
    "CLOCKS_APART",
    `the sensor's clock is up to ${printDuration(us(Math.abs(clockError)))} off the camera's, more than the tolerance of ` +
      `${printDuration(tolerance)} within which windows and frames are paired`,
    {
      hint: "Let both read the host's clock, or give a larger tolerance if nothing before the camera moves that fast.",
    },
  );

const strangers = (tolerance: Duration, nearest: Duration): SenseError =>
  new SenseError(
    "CLOCKS_APART",
    `no window of the sensor is within ${printDuration(tolerance)} of a camera frame; the nearest two are ${printDuration(nearest)} apart`,
    { hint: "Check that both ran at the same time and that both clocks are set." },
  );
