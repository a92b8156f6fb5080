import type { LaneLog } from "./lane-log.js";
import type { Lane } from "./letter.js";
import type { Mark } from "./mark.js";
import type { Kept } from "./record.js";
import { sortOut } from "./room.js";
import { findSegments, type Segment } from "./segment.js";

/** What is in the segments of earlier runs. */
export interface Counted {
  readonly next: number;
  readonly nextSeq: number;
  readonly count: number;
  readonly age: number;
  /** Ends from a segment whose deletion a kill interrupted: they go to the end of the queue. */
  readonly saved: readonly Kept[];
}

/**
 * Hands the segments of earlier runs to their lanes and counts what is in them. A kill may come between the writes of two
 * lanes: letters after the first one that is missing were not sent yet, for they wait for the older ones, and do not count.
 */
export async function adopt(folder: string, to: Record<Lane, LaneLog>, mark: Mark): Promise<Counted> {
  const { segments, saved } = await finishGiving(await findSegments(folder), mark);
  const known = Math.max(mark.written, mark.settled);
  const later = new Map<number, Kept>();
  let { nextSeq, age } = mark;
  let count = saved.length;
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
  return { next, nextSeq, count, age, saved };
}

/** Deletes what an earlier run was about to delete when it was killed; what was in it is counted already. */
async function finishGiving(segments: readonly Segment[], { giving, settled }: Mark) {
  const given = segments.find(({ lane, first }) => lane === giving?.lane && first === giving.first);
  if (given === undefined) return { segments, saved: [] };
  const letters: Kept[] = [];
  await given.scan((record) => {
    if (record.kind === "letter" && record.letter.position > settled) letters.push(record.letter);
    return true;
  });
  await given.remove();
  return { segments: segments.filter((segment) => segment !== given), saved: sortOut(letters).kept };
}
