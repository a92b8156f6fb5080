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

/** At most this share of a week's blocks may hold events that are no background. */
const events = 0.03;
/** A block that the background alone would not show in this many times the time seen holds an event. */
const surprise = 5;
/** Blocks that the tail is fitted to: the very highest, since what is below often has other causes than they. */
const tailBlocks = 100;

export interface BackgroundOptions extends TailOptions {
  /** The tail reaches at least down to what this share of the blocks exceeds. */
  readonly reach?: number;
}

/**
 * The tail of the background: of all blocks but those that stand so far out that they must hold the event itself. What
 * recurs, and what continues the tail without a gap, is background however high it is. In the first days little may stand
 * out: what is new then is more likely a regime that was not seen yet, such as the first morning, than an event.
 */
export function backgroundTail(
  { maxima }: Pick<Blocks, "maxima">,
  { reach = 0, ...options }: BackgroundOptions = {},
): Tail | undefined {
  if (maxima.length < 30) return undefined;
  const sorted = Float64Array.from(maxima).sort();
  const share = Math.min(0.15, Math.max(tailBlocks / sorted.length, reach));
  const without = (kept: number): Tail => fitTail(sorted.subarray(0, kept), { share, ...options });
  const most = Math.floor(sorted.length * events * Math.min(1, sorted.length / remembered));
  let kept = sorted.length - most;
  let tail = without(kept);
  // Blocks come back from below as long as the tail that they are part of can explain them.
  for (let rounds = 0; rounds < 10 && kept < sorted.length; rounds++) {
    const before = kept;
    while (kept < sorted.length && exceedance(tail, sorted[kept]!) * sorted.length * surprise >= 1) kept++;
    if (kept === before) break;
    tail = without(kept);
  }
  return tail;
}
