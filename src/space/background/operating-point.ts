import { hours } from "../../core/time.js";
import { type Blocks, backgroundTail, blockLength, noBlocks, remembered } from "./blocks.js";
import { exceededBy, predictive, type Tail } from "./tail.js";

const blocksPerDay = hours(24) / blockLength;

/** Before anything was seen: where the margin's normal distribution is exceeded this rarely. */
export interface Prior {
  /** Standard deviation of a cosine with unrelated content. */
  readonly deviation: number;
}

/** Deviations that a normal variable exceeds with probability p (Abramowitz and Stegun 26.2.23, error below 4.5e-4). */
function deviationsFor(p: number): number {
  const t = Math.sqrt(-2 * Math.log(p));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  return t - above / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

/** A margin is counted from two deviations above unrelated content on. */
const floorDeviations = 2;

const priorThreshold = (perDay: number, { deviation }: Prior): number =>
  deviation * Math.max(0, deviationsFor(Math.min(0.5, perDay / blocksPerDay)) - floorDeviations);

/** How a false-alarm rate became a threshold, and how much is known. */
export interface OperatingPoint {
  /** The margin at which an event may begin. */
  readonly threshold: number;
  /** Minutes of background it rests on. */
  readonly blocks: number;
}

/** What is learned of one concept on one sensor: its blocks, and the tail as it was last fitted. */
export interface Learned {
  readonly blocks: Blocks;
  readonly fit?: { readonly tail: Tail; readonly at: number };
}

/** Blocks after which the tail is fitted again: few in the first hours, when a morning may bring what the night never had. */
const refitAfter = { least: 5, share: 1 / 60, most: 60 } as const;

/** Fits the tail for the rates around `perDay` where enough has come since it was fitted last. */
export function refit(learned: Learned, perDay = 1): Learned {
  const seen = learned.blocks.count;
  const at = learned.fit?.at ?? 0;
  if (seen - at < Math.min(refitAfter.most, Math.max(refitAfter.least, refitAfter.share * at))) return learned;
  const tail = backgroundTail(learned.blocks, { reach: (2 * perDay) / blocksPerDay });
  return tail ? { blocks: learned.blocks, fit: { tail, at: seen } } : learned;
}

export const nothingLearned: Learned = { blocks: noBlocks };

/** Minutes after which something can be said of a sensor's own background, however roughly. */
const firstMinutes = 3;

/** Mean and deviation of the few minutes seen, and as many deviations as an exponential tail needs for the rate. */
function fromFew(maxima: readonly number[], p: number): number {
  if (maxima.length < firstMinutes) return Number.POSITIVE_INFINITY;
  const mean = maxima.reduce((sum, value) => sum + value, 0) / maxima.length;
  const variance = maxima.reduce((sum, value) => sum + (value - mean) ** 2, 0) / maxima.length;
  return mean + Math.sqrt(variance) * Math.max(1, -Math.log(p));
}

/**
 * The margin that the background exceeds `perDay` times a day, and never less than what the bundle's own calibration asks
 * for. It falls as the bearable rate rises. Before the tail is known what little was seen takes its place; in the first
 * minutes nothing is enough.
 */
export function operatingPoint(perDay: number, { blocks, fit }: Learned, prior: Prior): OperatingPoint {
  const p = perDay / blocksPerDay;
  const before = priorThreshold(perDay, prior);
  if (!fit) return { threshold: Math.max(before, fromFew(blocks.maxima, p)), blocks: blocks.count };
  const exceedances = fit.tail.share * Math.min(fit.at, remembered);
  const found = exceededBy(fit.tail, predictive(fit.tail, p, exceedances));
  return { threshold: Math.max(found, before), blocks: blocks.count };
}
