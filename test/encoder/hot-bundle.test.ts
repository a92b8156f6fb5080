import { expect, test } from "vitest";
import type { Bundle } from "../../src/encoder/bundle.js";
import { HotBundle } from "../../src/encoder/hot-bundle.js";

/** A bundle whose windows are finished when the test says so. */
function held(space: string, towers: object = { thermal: {} }) {
  const finish: (() => void)[] = [];
  const log: string[] = [];
  const bundle: Bundle = {
    space,
    manifest: { towers },
    forSensor: () => bundle,
    load: async () => void log.push("loaded"),
    encode: () => new Promise((resolve) => finish.push(() => resolve({ vector: space }))),
    [Symbol.asyncDispose]: async () => void log.push("closed"),
  } as unknown as Bundle;
  return { bundle, finish, log };
}

const barn = { id: "barn", modality: "thermal" } as const;

test("a window that is being encoded is finished by the old bundle, which is closed only then; the next goes to the new one", async () => {
  const [old, next] = [held("s"), held("s")];
  const hot = new HotBundle(old.bundle);
  const first = hot.encode("thermal", {});
  const exchanged = hot.exchange(next.bundle, barn);
  await new Promise((resolve) => setImmediate(resolve));
  expect([next.log, old.log]).toEqual([["loaded"], []]);
  void hot.encode("thermal", {});
  expect([old.finish.length, next.finish.length]).toEqual([1, 1]);
  old.finish[0]!();
  await Promise.all([first, exchanged]);
  expect(old.log).toEqual(["closed"]);
});

test("what one window needs comes from one bundle, from its preprocessing to its vector", async () => {
  const [old, next] = [held("s"), held("s")];
  const hot = new HotBundle(old.bundle);
  let go = (): void => {};
  const ready = new Promise<void>((resolve) => {
    go = resolve;
  });
  const window = hot.hold(async (bundle) => {
    await ready;
    return bundle.encode("thermal", {});
  });
  const exchanged = hot.exchange(next.bundle, barn);
  await new Promise((resolve) => setImmediate(resolve));
  go();
  await new Promise((resolve) => setImmediate(resolve));
  expect([old.finish.length, next.finish.length, old.log.length]).toEqual([1, 0, 0]);
  old.finish[0]!();
  await Promise.all([window, exchanged]);
  expect(old.log).toEqual(["closed"]);
});

test("a bundle that lacks the modality is put in place without loading an encoder: so a sensor is unbound again", async () => {
  const next = held("s", {});
  await new HotBundle(held("s").bundle).exchange(next.bundle, barn);
  expect(next.log).toEqual([]);
});

test("a bundle of another space is not put in place", async () => {
  const hot = new HotBundle(held("s").bundle);
  await expect(hot.exchange(held("another").bundle, barn)).rejects.toMatchObject({ code: "SPACE_MISMATCH" });
  expect(hot.space).toBe("s");
});
