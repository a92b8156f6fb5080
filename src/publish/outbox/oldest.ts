import type { LaneLog } from "./lane-log.js";
import type { Kept } from "./record.js";

/**
 * The oldest letter after a position, of all lanes. Nothing while an older one still has to be written, unless letters are
 * lent that the disk does not take; and where one has to be read from disk first, the lane that has to do it.
 */
export function oldest(
  logs: readonly LaneLog[],
  { after, lend }: { readonly after: number; readonly lend: boolean },
): Kept | LaneLog | undefined {
  let best: Kept | undefined;
  let written = true;
  for (const log of logs) {
    const head = log.peek(after);
    if (head === "later") return log;
    const letter = head ?? log.unwritten;
    if (letter === undefined || (best !== undefined && best.position < letter.position)) continue;
    best = letter;
    written = head !== undefined;
  }
  return written || lend ? best : undefined;
}
