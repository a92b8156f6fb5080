import { printDuration } from "../../core/duration.js";
import { SenseError } from "../../core/errors.js";
import { seeded, shuffle } from "../../core/random.js";
import { type Duration, s } from "../../core/time.js";
import type { Pair, Split } from "./pair.js";

export interface SplitOptions {
  /** Share of the pairs that is held out; 0.2 unless given. */
  readonly share?: number;
  /** Blocks of time into which the pairs are cut, as many pairs in each; 20 unless given. */
  readonly blocks?: number;
  /** `spread`: blocks all over the span, by the seed; `last`: the end of it. */
  readonly place?: "spread" | "last";
  /** No pair to learn from is as near in time as this to a held-out one; 5 s unless given. */
  readonly guard?: Duration;
  readonly seed?: number;
}

/** Fewer than this on either side say nothing. */
const leastPairs = 8;

/**
 * Pairs to learn from and pairs to judge by, by blocks of time: neighbours look alike, so a random split would only measure memory.
 * What lies within the guard of a held-out pair, or in the same visit of a scene, is on neither side. Throws `BAD_PAIRS` where
 * fewer than 8 pairs would be left on a side.
 */
export function splitByTime(pairs: readonly Pair[], options: SplitOptions = {}): Split {
  const { share = 0.2, place = "spread", guard = s(5), seed = 1 } = options;
  const sorted = [...pairs].sort((a, b) => a.time - b.time);
  const blocks = Math.max(2, Math.min(options.blocks ?? 20, sorted.length));
  const wanted = Math.max(1, Math.min(blocks - 1, Math.round(share * blocks)));
  const numbers = Array.from({ length: blocks }, (_, i) => i);
  const chosen = new Set(place === "last" ? numbers.slice(-wanted) : shuffle(numbers, seeded(seed)).slice(0, wanted));
  const blockOf = (i: number): number => Math.floor((i * blocks) / sorted.length);
  const heldOut = sorted.filter((_, i) => chosen.has(blockOf(i)));
  const visits = new Set(heldOut.map(({ visit }) => visit));
  const far = awayFrom(heldOut, guard);
  const train = sorted.filter((pair, i) => !chosen.has(blockOf(i)) && !visits.has(pair.visit) && far(pair));
  if (Math.min(train.length, heldOut.length) >= leastPairs) return { train, heldOut };
  throw new SenseError(
    "BAD_PAIRS",
    `${pairs.length} pairs leave ${train.length} to learn from and ${heldOut.length} to judge by, ` +
      `with ${printDuration(guard)} between them; ${leastPairs} of each are needed`,
    { hint: "Collect for longer, or let more happen: one long look at the same scene counts once." },
  );
}

/** Whether a pair is further from every held-out one than the guard; pairs must be asked for in order of time. */
function awayFrom(heldOut: readonly Pair[], guard: Duration): (pair: Pair) => boolean {
  let at = 0;
  return ({ time }) => {
    while (at < heldOut.length && heldOut[at]!.time < time - guard) at++;
    return at >= heldOut.length || heldOut[at]!.time > time + guard;
  };
}
