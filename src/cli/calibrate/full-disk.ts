import { rm } from "node:fs/promises";
import { SenseError } from "../../core/errors.js";

const noRoom: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM"]);

/** What happened, as whoever started it must hear it; half a bundle is not left behind. */
export async function afterFailure(error: unknown, out: string): Promise<unknown> {
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, message: "" };
  // A draft goes on where it was killed; on a full disk it would only be in the way.
  if (code === "FILE_UNWRITABLE" || noRoom.has(code)) await rm(`${out}.part`, { recursive: true, force: true });
  if (!noRoom.has(code)) return error;
  const why = code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : message;
  return new SenseError("FILE_UNWRITABLE", `the bundle ${out} cannot be made: ${why}`, {
    hint: "Free some space, then start again: what was encoded and learned until then is kept.",
    cause: error,
  });
}
