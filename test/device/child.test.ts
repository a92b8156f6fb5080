import { describe, expect, test } from "vitest";
import { isSenseError } from "../../src/core/errors.js";
import { startChild } from "../../src/device/child.js";
import { hasTool } from "../support/tools.js";

const start = (command: readonly string[], signal = new AbortController().signal) =>
  startChild(command, { signal, hint: "apt install it" });

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += new TextDecoder().decode(chunk);
  return text;
}

describe.skipIf(!hasTool("sh"))("a program that we run", () => {
  test("one that is not installed is TOOL_MISSING, with what to install", async () => {
    await using child = start(["no-such-program"]);
    const error = await child.ended().catch((e: unknown) => e);
    expect(isSenseError(error, "TOOL_MISSING") && [error.message, error.hint]).toEqual([
      "no-such-program is not installed",
      "apt install it",
    ]);
  });

  test("its arguments are its own: no shell reads them", async () => {
    const words = ["$HOME", "a b", "`id`", '"', "'", "*", "; echo no", ""];
    await using child = start(["printf", "%s\n", ...words]);
    expect(await textOf(child.stdout)).toBe(words.map((word) => `${word}\n`).join(""));
    await child.ended();
  });

  test("its output and its third channel both arrive whole", async () => {
    await using child = start(["sh", "-c", "head -c 300000 /dev/zero >&3; head -c 200000 /dev/zero"]);
    const [data, stdout] = await Promise.all([textOf(child.data), textOf(child.stdout)]);
    expect([data.length, stdout.length]).toEqual([300_000, 200_000]);
  });

  test("a failure is told in its last words, without the password of a URL", async () => {
    await using child = start(["sh", "-c", 'echo "first" >&2; echo "no route to rtsp://me:secret@cam/x" >&2; exit 3']);
    const error = await child.ended().catch((e: unknown) => e);
    expect(isSenseError(error, "DEVICE_FAILED") && error.message).toBe(
      "sh ended with code 3: no route to rtsp://…@cam/x",
    );
    expect(isSenseError(error) && error.hint).not.toMatch(/secret/);
  });

  test("it ends with the signal, even if it refuses to", async () => {
    const stop = new AbortController();
    const child = start(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"], stop.signal);
    await child.stdout[Symbol.asyncIterator]().next();
    stop.abort();
    await child.ended();
    await child[Symbol.asyncDispose]();
  });
});
