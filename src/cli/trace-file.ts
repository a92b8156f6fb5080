import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { SenseError } from "../core/errors.js";
import type { Input } from "../rules/input.js";
import { readTraceLine } from "../rules/trace.js";

/** The inputs of a trace, a file of JSON lines, `-` for stdin. Throws `FILE_UNREADABLE`, `BAD_TRACE`. */
export async function* traceFile(path: string): AsyncGenerator<Input> {
  const stream = path === "-" ? process.stdin : createReadStream(path);
  let number = 0;
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (line.trim() !== "") yield readTraceLine(line, number);
    }
  } catch (cause) {
    if (!(cause instanceof Error && "syscall" in cause)) throw cause;
    throw new SenseError("FILE_UNREADABLE", `${path} cannot be read`, { hint: "Check the path.", cause });
  }
}
