import type { LaneLog } from "./lane-log.js";
import type { Lane } from "./letter.js";
import type { Mark } from "./mark.js";
import type { Kept } from "./record.js";
import { findSegments } from "./segment.js";

/** What is in the segments of earlier runs. */
export interface Counted {
  readonly next: number;
  readonly nextSeq: number;
  readonly count: number;
  readonly age: number;
}

/**
 * Hands the segments of earlier runs to their lanes and counts what is in them. A kill may come between the writes of two
 * lanes: letters after the first one that is missing were not sent yet, for they wait for the older ones, and do not count.
 */
export async function adopt(folder: string, to: Record<Lane, LaneLog>, mark: Mark): Promise<Counted> {
  const segments = await findSegments(folder);
  const known = Math.max(mark.written, mark.settled);
  const later = new Map<number, Kept>();
  let { nextSeq, age } = mark;
  let count = 0;
  const note = (letter: Kept) => {
    nextSeq = Math.max(nextSeq, (letter.seq ?? -1) + 1);
    age = Math.max(age, letter.age);
    if (letter.position > mark.settled) count++;
  };
  for (const segment of segments) {
    await segment.scan((record) => {
      if (record.kind === "snapshot") return true;
      if (record.letter.position > known) later.set(record.letter.position, record.letter);
      else note(record.letter);
      return true;
    });
  }
  let next = known + 1;
  for (let letter = later.get(next); letter !== undefined; letter = later.get(next)) {
    note(letter);
    next++;
  }
  for (const segment of segments) await to[segment.lane].adopt(segment, next);
  return { next, nextSeq, count, age };
}
