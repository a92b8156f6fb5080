import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bindSensor } from "../../../src/align/bind.js";
import { planOf } from "../../../src/align/net/plan.js";
import type { Pair } from "../../../src/align/pairs/pair.js";
import { recallOf } from "../../../src/align/train/recall.js";
import { normalize, type UnitVector } from "../../../src/core/embedding.js";
import { gaussian, seeded } from "../../../src/core/random.js";
import { micros } from "../../../src/core/time.js";
import { workerRuntime } from "../../../src/encoder/worker-runtime.js";

const dim = 32;

/** A sensor whose encoder sees what the camera sees, but for one offset that all its vectors share, and some noise. */
function pairs(count: number, seed: number): Pair[] {
  const [gap, random] = [seeded(7), seeded(seed)];
  const offset = Array.from({ length: dim }, () => 0.8 * gaussian(gap));
  return Array.from({ length: count }, (_, i) => {
    const anchor = normalize(Array.from({ length: dim }, () => gaussian(random)));
    const data = normalize([...anchor].map((value, c) => value + offset[c]! + 0.08 * gaussian(random)));
    return { time: micros(i * 1e6), sensor: { dims: [1, dim], data }, anchor, scene: i, visit: i };
  });
}

test("a lent encoder's vectors begin as they are, and thirty pairs take the offset between two sensors away", async () => {
  await using engine = await workerRuntime({ workers: 1, threads: 1 });
  const split = { train: pairs(30, 1), heldOut: pairs(100, 2) };
  const { architecture, lr, decay, text } = planOf({ camera: {} }, { dims: [dim], dim });
  expect(text).toBe("the vector of the camera's own encoder, scaled and moved");
  const folder = await mkdtemp(join(tmpdir(), "sensebind-moved-"));
  const parts = { engine, folder, now: () => 0 };
  const options = { architecture, optimizer: { lr, decay } };
  const before = recallOf(
    split.heldOut.map(({ sensor }) => sensor.data as UnitVector),
    split.heldOut.map(({ anchor }) => anchor),
  );
  const still = await bindSensor(split, { ...options, optimizer: { lr: 0 }, steps: 8 }, parts);
  expect(still.recall).toEqual(before);
  const { parameters, recall } = await bindSensor(split, { ...options, optimizer: { lr: 10 * lr, decay } }, parts);
  expect(parameters.map(({ name, dims }) => [name, dims])).toEqual([
    ["gain", [dim]],
    ["shift", [dim]],
  ]);
  expect(recall.at1).toBeGreaterThan(before.at1 + 0.1);
  expect(recall.at1).toBeGreaterThan(0.8);
});
