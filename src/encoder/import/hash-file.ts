import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

/** What a manifest says of a file. */
export interface FileEntry {
  readonly sha256: string;
  readonly bytes: number;
}

/** SHA-256 in hex and length in bytes of a file. */
export async function hashFile(path: string): Promise<FileEntry> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return { sha256: hash.digest("hex"), bytes: (await stat(path)).size };
}
