import { parseDuration } from "../core/duration.js";
import { SenseError } from "../core/errors.js";
import { type Duration, us } from "../core/time.js";
import { limits } from "./limits.js";

export interface LengthOptions {
  /** Default 0. */
  readonly least?: Duration;
  /** Named in the error. */
  readonly operator?: string;
}

/** Throws `BAD_DURATION` for a span that is negative, no whole number of µs, below `least` or beyond a year. */
export function checkLength(span: Duration, { least = us(0), operator }: LengthOptions = {}): Duration {
  const text = `${span} µs`;
  if (!(span >= 0)) throw bad(`the duration ${text} is negative`, "A window reaches back: write 5s, not -5s.");
  if (!Number.isInteger(span))
    throw bad(`${text} is not a whole number of microseconds`, "Time is counted in whole µs.");
  if (span > limits.window)
    throw bad("the duration is longer than 366d", "A window must be remembered: name a shorter one.");
  if (span < least) throw bad(`${operator ?? "the operator"} needs a duration above 0`, "A window of 0 holds nothing.");
  return span;
}

/** Parses the duration of a window. Throws `BAD_DURATION`. */
export function windowLength(text: string, options: LengthOptions = {}): Duration {
  if (text.startsWith("-")) throw bad(`the duration ${text} is negative`, "A window reaches back: write 5s, not -5s.");
  const exact = parseDuration(text);
  // 0.3 * 1e6 is exact in a double, 1.1 * 60e6 is not: a decimal that means whole µs must not fail for that.
  const whole = Math.round(exact);
  return checkLength(Math.abs(exact - whole) <= 1e-9 * whole ? us(whole) : exact, options);
}

const bad = (message: string, hint: string) => new SenseError("BAD_DURATION", message, { hint });
