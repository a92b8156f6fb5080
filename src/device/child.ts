import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { SenseError } from "../core/errors.js";
import { s } from "../core/time.js";
import { pause } from "./pause.js";

/**
 * Runs `"$@"`, and ends it when our end of stdin closes, which also happens when we are killed: the program is told to stop, and
 * killed a second later. Its exit code becomes the shell's. POSIX sh; nothing else is needed.
 */
const leash = (input: string): string => `exec 4<&0
"$@" <${input} 4<&- 5<&- & child=$!
{ cat <&4; kill -TERM $child; sleep 1; kill -KILL $child; } >/dev/null 2>&1 3>&- 5<&- & watch=$!
exec 4<&- 3>&- 5<&-
wait $child; code=$?
kill $watch
exit $code`;

/** Exit code of a shell that does not find the program (POSIX, XCU 2.8.2). */
const notFound = 127;
const keptStderr = 4096;

/** Descriptors 0 to 5 of the shell. */
type Pipes = [Writable, Readable, Readable, Readable, null, Writable | undefined];

export interface ChildOptions {
  readonly signal: AbortSignal;
  /** What to install where the program is missing: `apt install ffmpeg`. */
  readonly hint: string;
  /** Whether it reads something from us; its standard input is empty otherwise. */
  readonly input?: boolean;
}

/** A program that we run; it dies with us, whatever kills us. */
export interface Child extends AsyncDisposable {
  readonly stdout: Readable;
  /** What it writes to file descriptor 3. */
  readonly data: Readable;
  /** Its standard input, where it was asked for. */
  readonly input: Writable | undefined;
  /** Resolves when it ended well. Throws `TOOL_MISSING`, or `DEVICE_FAILED` with its last words. */
  ended(): Promise<void>;
}

/** Starts a program, without a shell's interpretation of its arguments. */
export function startChild(command: readonly string[], { signal, hint, input: reads = false }: ChildOptions): Child {
  // A group of its own: an interrupt from the terminal reaches us alone, and we end it in order.
  const child = spawn("sh", ["-c", leash(reads ? "&5" : "/dev/null"), "sh", ...command], {
    stdio: ["pipe", "pipe", "pipe", "pipe", "ignore", ...(reads ? (["pipe"] as const) : [])],
    detached: true,
  });
  const [leashEnd, stdout, stderr, data, , input] = child.stdio as unknown as Pipes;
  let words = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-keptStderr);
  });
  // What it no longer reads is told by its end.
  for (const stream of [leashEnd, input]) stream?.on("error", () => {});
  const letGo = (): void => {
    leashEnd.destroy();
    input?.destroy();
  };
  signal.addEventListener("abort", letGo, { once: true });
  if (signal.aborted) letGo();
  const exit = exitOf(child).finally(letGo);
  exit.catch(() => {});
  return {
    stdout,
    data,
    input,
    async ended() {
      const code = await exit;
      if (code === 0 || signal.aborted) return;
      if (code === notFound) throw new SenseError("TOOL_MISSING", `${command[0]} is not installed`, { hint });
      throw new SenseError("DEVICE_FAILED", `${command[0]} ended with code ${code}: ${masked(lastLine(words))}`, {
        hint: `Run it by hand: ${masked(command.map(quote).join(" "))} 3>/dev/null`,
      });
    },
    async [Symbol.asyncDispose]() {
      letGo();
      // Unread output must not hold it back.
      stdout.resume();
      data.resume();
      await Promise.race([exit.catch(() => {}), pause(s(3), new AbortController().signal)]);
    },
  };
}

async function exitOf(child: ChildProcess): Promise<number> {
  const [code, signal] = (await once(child, "exit").catch((cause: unknown) => {
    throw new SenseError("TOOL_MISSING", "there is no shell (sh) to start programs with", {
      hint: "Adapters that run programs need a POSIX system.",
      cause,
    });
  })) as [number | null, NodeJS.Signals | null];
  return code ?? (signal === null ? 0 : 128);
}

const lastLine = (words: string): string => words.trim().split("\n").at(-1)?.trim() || "it said nothing";

const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** Without the user and password of a URL. */
const masked = (text: string): string => text.replace(/\/\/[^@/\s]+@/g, "//…@");
