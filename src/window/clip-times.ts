import type { Duration } from "../core/time.js";
import { add, exactly, over, type Rational, times } from "./rational.js";

/** A clip `[start, end]` of a file, in exact seconds. */
export interface ClipTime {
  readonly start: Rational;
  readonly end: Rational;
}

/**
 * ImageBind's fixed number of clips spread over a file of `seconds` (PARITY A5): the first starts at 0, the last ends with the
 * file; a file no longer than a clip gives the same clip each time. Exact fractions, because truncated products of doubles differ.
 */
export function clipTimes(
  seconds: number,
  { count, length }: { readonly count: number; readonly length: Duration },
): ClipTime[] {
  const clip: Rational = { num: BigInt(Math.round(length)), den: 1_000_000n };
  // The subtraction is the original's, in doubles; what follows is exact.
  const latest = exactly(Math.max(seconds - length / 1e6, 0));
  return Array.from({ length: count }, (_, k) => {
    const start = over(times(latest, BigInt(k)), BigInt(Math.max(count - 1, 1)));
    return { start, end: add(start, clip) };
  });
}
