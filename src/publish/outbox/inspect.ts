import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Losses } from "../messages.js";
import { newest } from "./mark.js";
import { findSegments } from "./segment.js";

/** What waits in an outbox, and what was given up, since the folder was made. */
export interface OutboxReport {
  readonly waiting: number;
  readonly bytes: number;
  readonly losses: Losses;
  /** Files of which something cannot be read: not by a crash, which cuts only what was written last. */
  readonly damaged: readonly string[];
}

/** Looks into an outbox, also one that a running node uses: it reads and changes nothing. Undefined where there is none. */
export async function inspectOutbox(folder: string): Promise<OutboxReport | undefined> {
  const bytes = await readFile(join(folder, "mark")).catch(unlessMissing);
  if (bytes === undefined) return undefined;
  const [{ settled, losses }] = newest(bytes);
  let waiting = 0;
  let size = 0;
  const damaged: string[] = [];
  const segments = await findSegments(folder);
  const newestOf = new Map(segments.map((segment) => [segment.lane, segment]));
  for (const segment of segments) {
    // A node that is running may delete a segment meanwhile.
    const end = await segment
      .scan((record) => {
        if (record.kind === "letter" && record.letter.position > settled) waiting++;
        return true;
      })
      .catch(unlessMissing);
    size += segment.bytes;
    if (end !== undefined && end < segment.bytes && newestOf.get(segment.lane) !== segment) damaged.push(segment.path);
    await segment.close();
  }
  return { waiting, bytes: size, losses, damaged };
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
