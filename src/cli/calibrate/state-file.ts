import { rename, writeFile } from "node:fs/promises";
import { SenseError } from "../../core/errors.js";

/** Writes a node's note beside its place and renames it, so that a power loss leaves the old one or the new one. Throws `FILE_UNWRITABLE`. */
export async function writeStateFile(path: string, content: object): Promise<void> {
  try {
    await writeFile(`${path}.new`, `${JSON.stringify(content)}\n`, { flush: true });
    await rename(`${path}.new`, path);
  } catch (cause) {
    throw new SenseError("FILE_UNWRITABLE", `${path} cannot be written: ${(cause as Error).message}`, {
      hint: "Free some space, and see that the node may write its state folder; until then it keeps what the file says now.",
      cause,
    });
  }
}
