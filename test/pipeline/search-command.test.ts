import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Micros, micros } from "../../src/core/time.js";
import { type Bundle, openBundle } from "../../src/encoder/bundle.js";
import type { Runtime } from "../../src/encoder/runtime.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { searchCommand } from "../../src/pipeline/search-command.js";
import { SearchCommand } from "../../src/publish/search-command.js";
import { Store } from "../../src/space/store/store.js";
import { bundleFixture } from "../encoder/bundle-fixture.js";

let runtime: Runtime;
let bundle: Bundle;
let store: Store;

/** One row a second: what the camera saw and what the microphone heard, each near the words for it. */
beforeAll(async () => {
  runtime = await workerRuntime();
  bundle = await openBundle(await bundleFixture(), runtime);
  store = Store.open(join(mkdtempSync(join(tmpdir(), "command-")), "s"), {
    id: bundle.space,
    dim: bundle.manifest.dim,
  });
  const colours = ["red", "green", "blue"];
  const vectors = await bundle.encodeText(colours, "text");
  for (let i = 0; i < 30; i++) {
    const [sensor, modality] = i % 2 === 0 ? (["camera", "vision"] as const) : (["mic", "audio"] as const);
    const [from, to] = [micros(i * 1e6), micros((i + 1) * 1e6)] as [Micros, Micros];
    store.add({ sensor, modality, seq: i, from, to, space: bundle.space, vector: vectors[i % 3]!.vector });
  }
});

afterAll(async () => {
  await bundle[Symbol.asyncDispose]();
  await runtime[Symbol.asyncDispose]();
});

const ask = async (request: Readonly<Record<string, unknown>>) => {
  const checked = SearchCommand.request.parse(request);
  const { hits } = await searchCommand(checked, { store, bundle, signal: new AbortController().signal });
  return SearchCommand.result.parse({ hits }).hits;
};
const seconds = (hits: readonly { from: number }[]) => hits.map(({ from }) => from / 1e6);

test("words find what sensors of every modality perceived, several words and minus words too", async () => {
  const hits = await ask({ text: "red", top: 10 });
  expect(seconds(hits)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
  expect(new Set(hits.map(({ sensor }) => sensor))).toEqual(new Set(["camera", "mic"]));
  expect(seconds(await ask({ text: ["red", "blue"], minus: "red", top: 2 }))).toEqual([2, 5]);
});

test("what one sensor heard finds what another saw, by the time at which it heard it", async () => {
  const hits = await ask({ like: { sensor: "mic", from: 1e6, to: 2e6 }, sensor: "camera", top: 5 });
  expect(seconds(hits)).toEqual([4, 10, 16, 22, 28]);
});

test("hits are of the sensor, the modality and the time that were asked for", async () => {
  expect(seconds(await ask({ text: "red", modality: "audio", top: 2 }))).toEqual([3, 9]);
  expect(seconds(await ask({ text: "red", sensor: "mic", since: 10e6, until: 16e6, top: 1 }))).toEqual([15]);
  expect(await ask({ text: "red", sensor: "nobody" })).toEqual([]);
});

test("a search for nothing, or like a time of which nothing is stored, is refused", async () => {
  await expect(ask({ minus: "red" })).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
  await expect(ask({ like: { sensor: "mic", from: 100e6, to: 101e6 } })).rejects.toMatchObject({
    code: "BAD_ARGUMENT",
  });
});
