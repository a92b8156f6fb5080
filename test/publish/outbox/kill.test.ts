import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { numberOf, open, scratch, takeAll } from "./letters.js";

const writer = fileURLToPath(new URL("./writer.ts", import.meta.url));

/** Runs the writer and kills it -9 after so many lines: in the middle of whatever it does then. */
async function killAfter(lines: number, args: readonly string[]): Promise<{ flushed: number; settled: number }> {
  const child = spawn(process.execPath, ["--import", "tsx", writer, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    if (text.split("\n").length > lines) child.kill("SIGKILL");
  });
  await once(child, "close");
  const [flushed, settled] = text.split("\n").at(-2)!.split(" ").map(Number) as [number, number];
  return { flushed, settled };
}

it("a process killed with -9 again and again loses nothing that was flushed and gives nothing that was settled", async () => {
  await using folder = await scratch();
  let first = 0;
  let settledTo = -1;
  for (const lines of [3, 40, 11]) {
    const { flushed, settled } = await killAfter(lines, [folder.path, String(first), String(first + 20)]);
    settledTo = Math.max(settledTo, settled);
    await using outbox = await open(folder.path);
    const numbers = (await takeAll(outbox)).map(numberOf);
    const expected = Array.from({ length: numbers.at(-1)! - numbers[0]! + 1 }, (_, i) => numbers[0]! + i);
    expect(numbers.filter((number) => number >= first)).toEqual(expected.filter((number) => number >= first));
    expect(numbers.at(-1)).toBeGreaterThanOrEqual(flushed);
    if (first === 0) expect(numbers[0]).toBeGreaterThanOrEqual(settledTo);
    first = numbers.at(-1)! + 1;
  }
}, 60_000);
