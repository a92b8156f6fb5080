import type { Event } from "../core/event.js";
import type { StatusInput } from "./input.js";

/** A message that waits for the watermark. */
export type Message = Event | StatusInput;

const ranks = { begin: 0, update: 1, end: 2 } as const;

/** Order of messages at one time: it does not depend on the order of arrival, but for statuses among themselves. */
function precedes(a: Message, b: Message): boolean {
  if (!("phase" in a)) return "phase" in b;
  if (!("phase" in b)) return false;
  if (a.phase !== b.phase) return ranks[a.phase] < ranks[b.phase];
  if (a.seq !== b.seq) return a.seq < b.seq;
  return a.id < b.id;
}

/** Messages in order of their time: an ordered one is appended, a late one is moved to its place. */
export class Pending {
  private messages: Message[] = [];
  private head = 0;

  get size(): number {
    return this.messages.length - this.head;
  }

  /** The earliest time; Infinity if nothing waits. */
  get next(): number {
    return this.head < this.messages.length ? this.messages[this.head]!.at : Number.POSITIVE_INFINITY;
  }

  add(message: Message): void {
    const { messages } = this;
    let low = this.head;
    let high = messages.length;
    if (high > low && !before(message, messages[high - 1]!)) low = high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(message, messages[middle]!)) high = middle;
      else low = middle + 1;
    }
    if (low === messages.length) messages.push(message);
    else messages.splice(low, 0, message);
  }

  take(): Message {
    const message = this.messages[this.head++]!;
    // Half of the array is spent: moving the rest costs less than one step a message taken.
    if (this.head > 64 && this.head * 2 > this.messages.length) {
      this.messages = this.messages.slice(this.head);
      this.head = 0;
    }
    return message;
  }

  list(): readonly Message[] {
    return this.messages.slice(this.head);
  }
}

const before = (a: Message, b: Message): boolean => a.at < b.at || (a.at === b.at && precedes(a, b));
