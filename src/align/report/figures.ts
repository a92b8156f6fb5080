import type { Micros } from "../../core/time.js";

/** A share in 0..1 as a percentage: `83.3 %`, `100 %`. */
export const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;

/** An instant as date and time in UTC, to the second. */
export const instant = (time: Micros): string => {
  const date = new Date(time / 1e3);
  return Number.isNaN(date.getTime()) ? `${time} µs` : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
};

/** A length of time for a reader: `19 min 40 s`. */
export function lasting(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 3600), "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ] as const;
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`);
  return shown.length === 0 ? `${seconds.toFixed(1)} s` : shown.slice(0, 2).join(" ");
}
