import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { SenseError } from "../../core/errors.js";

/** Throws `FILE_UNWRITABLE` where the file system that `path` will be on has fewer than `bytes` free. */
export async function needSpace(path: string, bytes: number): Promise<void> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const system = await statfs(folder).catch(() => undefined);
    if (system === undefined && folder !== dirname(folder)) continue;
    const free = system === undefined ? bytes : system.bavail * system.bsize;
    if (free >= bytes) return;
    throw new SenseError(
      "FILE_UNWRITABLE",
      `${path} needs ${(bytes / 1e6).toFixed(0)} MB, ${(free / 1e6).toFixed(0)} MB are free`,
      { hint: "free some space, or choose a folder on another disk" },
    );
  }
}
