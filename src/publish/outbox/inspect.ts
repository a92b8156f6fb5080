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
}

/** Looks into an outbox, also one that a running node uses: it reads and changes nothing. Undefined where there is none. */
export async function inspectOutbox(folder: string): Promise<OutboxReport | undefined> {
  const bytes = await readFile(join(folder, "mark")).catch(unlessMissing);
  if (bytes === undefined) return undefined;
  const [{ settled, losses }] = newest(bytes);
  let waiting = 0;
  let size = 0;
  for (const segment of await findSegments(folder)) {
    // A node that is running may delete a segment meanwhile.
    await segment
      .scan((record) => {
        if (record.kind === "letter" && record.letter.position > settled) waiting++;
        return true;
      })
      .catch(unlessMissing);
    size += segment.bytes;
    await segment.close();
  }
  return { waiting, bytes: size, losses };
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
