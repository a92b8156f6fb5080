import { expect, test } from "vitest";
import type { Collected } from "../../src/align/pairs/collect.js";
import type { Pair } from "../../src/align/pairs/pair.js";
import { size } from "../../src/cli/calibrate/asked.js";
import { withinMemory } from "../../src/cli/calibrate/memory.js";
import { isSmall, scaleSketch, sketchOf } from "../../src/cli/calibrate/sketch.js";
import { Stretches } from "../../src/cli/calibrate/stretches.js";
import { normalize } from "../../src/core/embedding.js";
import { micros } from "../../src/core/time.js";

test("sizes are read as they are written, and nothing else", () => {
  expect(["300MB", "1.5 GB", "512MiB", "64kb"].map(size)).toEqual([300e6, 1.5e9, 512 * 2 ** 20, 64e3]);
  for (const text of ["300", "MB", "-1MB", "0MB", "12 TB", "1e3MB"]) expect(() => size(text)).toThrow(/is no size/);
});

test("a long recording is used minute by minute: windows and frames of one minute stay together", () => {
  const stretches = new Stretches();
  const minutes = (): number[] =>
    Array.from({ length: 16 }, (_, i) => i).filter((i) => stretches.has(micros(5e15 + i * 60e6 + 1)));
  expect(minutes()).toHaveLength(16);
  stretches.halve();
  expect(minutes()).toEqual([0, 2, 4, 6, 8, 10, 12, 14]);
  stretches.halve();
  expect(minutes()).toEqual([0, 4, 8, 12]);
  expect(stretches.has(micros(5e15 + 59e6))).toBe(stretches.has(micros(5e15 + 1)));
});

test("a sketch tells any window that differs in one number, and one with NaN", () => {
  const map = new Float32Array(224 * 224).fill(0.3);
  const of = (data: Float32Array) => sketchOf({ dims: [1, 1, 224, 224], data }).data;
  expect(isSmall({ dims: [1, 1000], data: new Float32Array(1000) })).toBe(true);
  expect(of(map).length).toBeLessThan(800);
  const other = map.slice();
  other[1] = 9;
  expect(of(other)).not.toEqual(of(map));
  other[1] = Number.NaN;
  expect(of(other).every(Number.isNaN)).toBe(true);
});

test("the sketch of a series is on the scale of its channels", () => {
  const recipe = {
    ...({ kind: "series", input: "x", rate: 100, steps: 1000, channels: ["a", "b"], short: "pad" } as const),
    ...{ mean: [1, -2], std: [2, 4] },
  };
  const data = Float32Array.from({ length: 2000 }, (_, i) => (i < 1000 ? 5 : 6));
  const sketch = sketchOf({ dims: [1, 2, 1000], data });
  scaleSketch(sketch, { ...recipe, channels: [...recipe.channels] });
  expect(new Set(sketch.data)).toEqual(new Set([2]));
});

test("pairs that do not fit are left out evenly over the time, on both sides", () => {
  const anchor = normalize([1, 0]);
  const pair = (i: number): Pair => ({
    time: micros(i),
    sensor: { dims: [1, 2], data: new Float32Array(2) },
    anchor,
    scene: i,
    visit: i,
  });
  const train = Array.from({ length: 400 }, (_, i) => pair(i));
  const heldOut = Array.from({ length: 100 }, (_, i) => pair(1000 + i));
  const pairs = { train, heldOut } as unknown as Collected;
  const gathered = {
    ...{ modality: "thermal", window: { length: 1, hop: 1 }, timed: true, windows: [], anchors: [] },
    whole: { dims: [1, 100, 100], async *of() {} },
  } as never;
  const all = withinMemory(pairs, gathered, 1e9);
  expect(all.pairs.train).toBe(train);
  const some = withinMemory(pairs, gathered, 40e6);
  expect(some.pairs.train.length * 40_000 * 1.25).toBeLessThan(11e6);
  expect(some.pairs.train.length / some.pairs.heldOut.length).toBeCloseTo(4, 0);
  const times = some.pairs.train.map(({ time }) => time);
  expect(times[0]).toBeLessThan(5);
  expect(times.at(-1)).toBeGreaterThan(395);
  expect(some.left).toBeGreaterThan(30e6 - 1e6);
  expect(() => withinMemory(pairs, gathered, 2e6)).toThrow(/2 MB of memory hold \d+ pairs to learn from/);
});
