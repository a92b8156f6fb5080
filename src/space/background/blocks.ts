import { type Duration, type Micros, minutes } from "../../core/time.js";
import { exceedance, fitTail, type Tail, type TailOptions } from "./tail.js";

/**
 * The highest score of each minute: false alarms come in bursts, one of which counts once, and a minute's highest score is
 * what decides whether there was one.
 */
export const blockLength: Duration = minutes(1);

/** Blocks that are remembered: a week, so that every regime of the day and of the week is among them. */
export const remembered = 7 * 24 * 60;

/** Plain data of the blocks seen so far, oldest first. */
export interface Blocks {
  readonly maxima: readonly number[];
  /** How many there ever were. */
  readonly count: number;
  /** The block under way. */
  readonly current?: { readonly from: number; readonly highest: number };
}

/** Adds one window's score. */
export function observe(blocks: Blocks, at: Micros, score: number): Blocks {
  const from = Math.floor(at / blockLength);
  const { current, maxima, count } = blocks;
  // A clock that went back goes on filling the block under way.
  if (current && from <= current.from) {
    return score > current.highest ? { ...blocks, current: { from: current.from, highest: score } } : blocks;
  }
  if (!current) return { ...blocks, current: { from, highest: score } };
  const older = maxima.length >= remembered ? maxima.slice(1) : maxima;
  return { maxima: [...older, current.highest], count: count + 1, current: { from, highest: score } };
}

export const noBlocks: Blocks = { maxima: [], count: 0 };

/** At most this share of the blocks may hold events that are no background. */
const events = 0.03;
/** A block that the background alone would not show in this many times the time seen holds an event. */
const surprise = 20;

/**
 * The tail of the background: of all blocks but those that stand so far out that they must hold the event itself. What
 * recurs, and what continues the tail without a gap, is background however high it is.
 */
export function backgroundTail({ maxima }: Pick<Blocks, "maxima">, options: TailOptions = {}): Tail | undefined {
  if (maxima.length < 30) return undefined;
  const sorted = Float64Array.from(maxima).sort();
  const most = Math.floor(sorted.length * events);
  let kept = sorted.length - most;
  let tail = fitTail(sorted.subarray(0, kept), options);
  // Blocks come back from below as long as the tail that they are part of can explain them.
  for (let rounds = 0; rounds < 10 && kept < sorted.length; rounds++) {
    const before = kept;
    while (kept < sorted.length && exceedance(tail, sorted[kept]!) * sorted.length * surprise >= 1) kept++;
    if (kept === before) break;
    tail = fitTail(sorted.subarray(0, kept), options);
  }
  return tail;
}
