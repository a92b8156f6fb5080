import * as z from "zod";
import { SenseError } from "./errors.js";
import { type Duration, hours, minutes, ms, s, us } from "./time.js";

const units = { us, ms, s, m: minutes, h: hours, d: (value: number) => hours(value * 24) } as const;

/** Parses `500ms`, `2s`, `5m`, `1h`, `1d`. Throws `BAD_DURATION`. */
export function parseDuration(text: string): Duration {
  const match = /^(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d)$/.exec(text.trim());
  if (!match) {
    throw new SenseError("BAD_DURATION", `"${text}" is not a duration`, { hint: "Write 500ms, 2s, 5m, 1h or 1d." });
  }
  return units[match[2] as keyof typeof units](Number(match[1]));
}

/** A duration in a configuration file, `2s`; its output is microseconds. */
export const DurationText = z
  .string()
  .regex(/^\d+(?:\.\d+)?\s*(?:us|ms|s|m|h|d)$/, "write a duration such as 500ms, 2s, 5m or 1h")
  .transform(parseDuration);

/** A duration as it is written, in the largest unit that divides it: `90s`, `2m`. */
export function printDuration(span: Duration): string {
  const whole = (["d", "h", "m", "s", "ms"] as const).find((unit) => span > 0 && span % units[unit](1) === 0);
  return whole === undefined ? `${span}us` : `${span / units[whole](1)}${whole}`;
}
