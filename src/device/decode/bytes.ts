import { readFile, stat } from "node:fs/promises";
import { SenseError } from "../../core/errors.js";

/** What every decoder takes beside the bytes. */
export interface DecodeOptions {
  /** What an error names: a path, a topic, a sensor. */
  readonly source?: string;
}

/** Files larger than this are not read whole: 2 GiB is the largest buffer `readFile` gives. */
const largest = 2 ** 31 - 1;

/** A whole file. Throws `FILE_UNREADABLE`, also for a folder, an empty file and one of 2 GiB or more. */
export async function readBytes(path: string): Promise<Uint8Array> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(path, cause);
  });
  if (!info.isFile() || info.size === 0) {
    throw new SenseError("FILE_UNREADABLE", `${path} is ${info.isFile() ? "empty" : "not a file"}`, {
      hint: "Check the path.",
    });
  }
  if (info.size > largest) {
    throw new SenseError("FILE_UNREADABLE", `${path} has ${info.size} bytes, more than can be read at once`, {
      hint: "Split the file.",
    });
  }
  const { buffer, byteOffset, length } = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(path, cause);
  });
  // Not a Buffer: its `slice` does not copy, which code for plain arrays does not expect.
  return new Uint8Array(buffer, byteOffset, length);
}

/** What went wrong when a file was opened, in words. */
export function unreadable(path: string, cause: NodeJS.ErrnoException): SenseError {
  const why = cause.code === "ENOENT" ? "does not exist" : `cannot be read (${cause.code ?? cause.message})`;
  return new SenseError("FILE_UNREADABLE", `${path} ${why}`, { hint: "Check the path and its permissions.", cause });
}
