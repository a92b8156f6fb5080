import { seeded } from "../../demo/scene/random.js";

/** What can be going on in the kitchen; in between there is nothing but the wall and the table. */
export const activities = ["frying", "leak", "cleaning", "coffee"] as const;
export type Activity = (typeof activities)[number] | "nothing";

/** One thing that goes on for a while, in seconds after the start. */
export interface Part {
  readonly from: number;
  readonly to: number;
  readonly activity: Activity;
  /** How it looks this time: another pan, another place on the table. */
  readonly look: number;
}

/** The first reading's event time: 2026-01-01T08:00:00Z, in microseconds. */
export const start = 1_767_254_400_000_000;

/** What happens in so many seconds: rounds of all activities, each in an order of its own, with an empty kitchen in between. */
export function script(seconds: number, seed: number): readonly Part[] {
  const random = seeded(seed);
  const parts: Part[] = [];
  let now = 0;
  const add = (activity: Activity, lasting: number): void => {
    if (now >= seconds) return;
    const to = Math.min(seconds, now + lasting);
    parts.push({ from: now, to, activity, look: Math.floor(random() * 2 ** 31) });
    now = to;
  };
  while (now < seconds) {
    const left: Activity[] = [...activities];
    while (left.length > 0) {
      add("nothing", 10 + 8 * random());
      add(left.splice(Math.floor(random() * left.length), 1)[0]!, 14 + 10 * random());
    }
  }
  return parts;
}

/** What goes on at `t` seconds. */
export const partAt = (parts: readonly Part[], t: number): Part => parts.findLast(({ from }) => from <= t)!;
