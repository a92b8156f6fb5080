import { totalmem } from "node:os";
import { megabytes } from "../../align/fit.js";
import type { Collected } from "../../align/pairs/collect.js";
import { SenseError } from "../../core/errors.js";
import { sizeOf } from "../../core/tensor.js";
import type { Gathered } from "./gathered.js";

/** A quarter of the machine's memory, or of what its control group may take. */
export function usualMemory(): number {
  const limit = process.constrainedMemory();
  return Math.floor(Math.min(totalmem(), limit && limit > 0 ? limit : Number.POSITIVE_INFINITY) / 4);
}

/** Share of the memory that windows and frames may take until it is known which are learned from. */
export const roomToGather = (memory: number): number => memory / 4;

/** The most memory that this process has taken so far, in bytes. */
export const peakMemory = (): number => process.resourceUsage().maxRSS * 1024;

/** Fewer pairs than this on either side say nothing. */
const leastPairs = 8;
/** What an object, its array and its place in a list take beside the numbers. */
const perPair = 400;

export interface Reduced {
  readonly pairs: Collected;
  /** What learning may take beside them. */
  readonly left: number;
}

/**
 * As many of the pairs as a quarter of the memory holds, evenly over the time; all where they are in memory anyway. Throws `BAD_ARGUMENT`
 * where it does not hold enough to learn from.
 */
export function withinMemory(pairs: Collected, { windows, anchors, whole }: Gathered, memory: number): Reduced {
  const bytesOf = (length: number): number => 4 * length + perPair;
  const held =
    windows.length * bytesOf(windows[0]?.input.data.length ?? 0) +
    anchors.length * bytesOf(anchors[0]?.vector.length ?? 0);
  const each = whole === undefined ? perPair : bytesOf(sizeOf(whole.dims));
  const all = pairs.train.length + pairs.heldOut.length;
  const share = Math.min(1, Math.max(0, memory - held) / 4 / (all * each));
  const spread = <T>(side: readonly T[]): readonly T[] =>
    Array.from({ length: Math.floor(side.length * share) }, (_, i) => side[Math.floor((i + 0.5) / share)]!);
  const [train, heldOut] = share === 1 ? [pairs.train, pairs.heldOut] : [spread(pairs.train), spread(pairs.heldOut)];
  if (Math.min(train.length, heldOut.length) < leastPairs) {
    throw new SenseError(
      "BAD_ARGUMENT",
      `${megabytes(memory)} of memory hold ${train.length} pairs to learn from and ${heldOut.length} to judge by; ${leastPairs} of each are needed`,
      { hint: "Give more with --memory, or a shorter recording." },
    );
  }
  return { pairs: { ...pairs, train, heldOut }, left: memory - held - (train.length + heldOut.length) * each };
}
