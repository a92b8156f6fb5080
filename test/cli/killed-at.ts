import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { main } from "./spawn.js";

/** Runs the built command line, sends it a signal at the first line of its stderr that matches, and gives what it said. */
export async function killedAt(
  pattern: RegExp,
  args: readonly string[],
  signal: "SIGKILL" | "SIGINT" = "SIGKILL",
): Promise<string> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  const closed = once(child, "close");
  const said: string[] = [];
  let isSent = false;
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (isSent || !pattern.test(line)) continue;
    isSent = true;
    child.kill(signal);
  }
  const ended = await closed;
  const expected = signal === "SIGKILL" ? [null, "SIGKILL"] : [1, null];
  expect(ended, said.join("\n")).toEqual(expected);
  return said.join("\n");
}
