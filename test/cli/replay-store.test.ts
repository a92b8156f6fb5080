import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bundleFixture } from "../encoder/bundle-fixture.js";
import { sensebind } from "./spawn.js";

test("a recording fills a store in the space of today's bundle; another bundle's store is refused with what to do", async () => {
  const store = join(mkdtempSync(join(tmpdir(), "replayed-")), "store");
  const replayed = ["replay", "examples/demo/demo.mcap", "--config", "examples/demo/demo.yaml", "--store", store];
  expect((await sensebind(...replayed)).code).toBe(0);
  const asked = ["search", "--store", store, "--text", "a cat", "--sensor", "camera", "--top", "1", "--json"];
  const { stdout } = await sensebind(...asked);
  const [best] = JSON.parse(stdout) as { sensor: string; from: number }[];
  // The cat is to be seen from the 8th to the 15th second: examples/demo/scene/script.ts.
  expect((best!.from - 1_767_254_400_000_000) / 1e6).toBeGreaterThan(7);
  const other = await sensebind(...asked, "--bundle", await bundleFixture());
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/^SPACE_MISMATCH: .*\nhint: .*sensebind replay/);
});
