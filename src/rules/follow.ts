import { limits } from "./limits.js";
import type { Message } from "./pending.js";
import type { Slot } from "./program.js";
import { anySensor } from "./world.js";

/** An event as a rule sees it: true in [from, to). */
export interface Lasting {
  readonly id: string;
  readonly sensor: string;
  readonly from: number;
  /** Infinity, as `null`, while it lasts. */
  to: number | null;
  score: number;
}

/** What is known of one signal: the events that last, in the order of their newest message, and those that ended. */
export interface Followed {
  open: Lasting[];
  /** Ended ones that can still be a cause, in the order of their end. */
  ended: Lasting[];
}

/** What became of a message: nothing follows from the last two but a count. */
export type Outcome = "taken" | "duplicate" | "orphan" | "superseded";

/** Tells a signal what a message says about it. */
export function tell(followed: Followed, slot: Slot, message: Message): Outcome {
  if ("kind" in message) {
    const told = { id: message.sensor, sensor: message.sensor, at: message.at, score: 0 };
    const outcome = message.state === "ok" ? end(followed, slot, told) : begin(followed, slot, told);
    // A status is repeated at will: what it repeats is no loss.
    return outcome === "superseded" ? outcome : "taken";
  }
  switch (message.phase) {
    case "begin":
      return begin(followed, slot, message);
    case "update":
      return update(followed, message);
    case "end":
      return end(followed, slot, message);
    default:
      return message.phase satisfies never;
  }
}

/** Its signal is true while any of its events lasts. */
function begin(followed: Followed, slot: Slot, message: Told): Outcome {
  const { id, sensor, at, score } = message;
  if (find(followed.open, message) >= 0) return "duplicate";
  const full = followed.open.length >= limits.open;
  if (full) finish(followed, slot, followed.open.shift()!, at);
  followed.open.push({ id, sensor, from: at, to: null, score });
  return full ? "superseded" : "taken";
}

/** An event that lasts has a new score. */
function update({ open }: Followed, message: Told): Outcome {
  const place = find(open, message);
  if (place < 0) return "orphan";
  const lasting = open[place]!;
  lasting.score = message.score;
  if (place < open.length - 1) open.push(...open.splice(place, 1));
  return "taken";
}

/** An event ends. */
function end(followed: Followed, slot: Slot, message: Told): Outcome {
  const place = find(followed.open, message);
  if (place < 0) return "orphan";
  finish(followed, slot, followed.open.splice(place, 1)[0]!, message.at);
  return "taken";
}

/** The score of a signal: the newest while an event lasts, for `any` the greatest of those that last, else 0. */
export function scoreOf({ open }: Followed, { sensor }: Slot): number {
  const newest = open.at(-1);
  if (newest === undefined) return 0;
  if (sensor !== anySensor) return newest.score;
  return open.reduce((most, { score }) => Math.max(most, score), 0);
}

interface Told {
  readonly id: string;
  readonly sensor: string;
  readonly at: number;
  readonly score: number;
}

/** Ids are unique per sensor; `any` holds the events of several. */
function find(open: readonly Lasting[], { id, sensor }: Told): number {
  for (let place = 0; place < open.length; place++) {
    const each = open[place]!;
    if (each.id === id && each.sensor === sensor) return place;
  }
  return -1;
}

function finish({ ended }: Followed, { reach, endReach }: Slot, lasting: Lasting, at: number): void {
  lasting.to = at;
  // An event of no length was true at no time.
  if ((reach === 0 && endReach < 0) || at <= lasting.from) return;
  ended.push(lasting);
  const spent = ({ from, to }: Lasting) => from < at - reach && to! < at - Math.max(endReach, 0);
  while (ended.length > limits.history || (ended.length > 0 && spent(ended[0]!))) ended.shift();
}
