import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Augment, chain, sometimes } from "../../../src/align/augment/augment.js";
import { augmentationOf } from "../../../src/align/augment/by-recipe.js";
import { rotate, scale } from "../../../src/align/augment/motion.js";
import { cropResize } from "../../../src/align/augment/picture.js";
import { specAugment } from "../../../src/align/augment/spectrogram.js";
import { gainOffset, jitter, scaleChannels } from "../../../src/align/augment/values.js";
import { gaussian, seeded } from "../../../src/core/random.js";
import { Recipe } from "../../../src/core/recipe.js";
import { sizeOf, type Tensor, tensor } from "../../../src/core/tensor.js";

const noise = (dims: readonly number[], seed: number, mean = 0): Tensor<Float32Array> => {
  const random = seeded(seed);
  return tensor(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => mean + gaussian(random)),
  );
};
const energy = ({ data }: Tensor<Float32Array>): number =>
  data.reduce((sum, value) => sum + value * value, 0) / data.length;

const changes: readonly (readonly [string, Augment])[] = [
  ["jitter", jitter()],
  ["gain and offset", gainOffset()],
  ["scale by channel", scaleChannels()],
  ["scale", scale()],
  ["rotation", rotate()],
  ["SpecAugment", specAugment()],
  ["crop", cropResize()],
  ["crop and flip", cropResize({ least: 0.3, aspect: 0.3, flip: true })],
  ["a chain", chain(cropResize(), sometimes(0.5, gainOffset()), jitter())],
];
const shapes = fc.record({
  planes: fc.constantFrom(1, 3),
  rows: fc.constantFrom(3, 6, 9),
  columns: fc.integer({ min: 1, max: 40 }),
  seed: fc.integer(),
});

describe.each(changes)("%s", (_, change) => {
  test("keeps the shape, stays finite, leaves its input alone, and repeats by the seed", () => {
    fc.assert(
      fc.property(shapes, ({ planes, rows, columns, seed }) => {
        const input = noise([1, planes, rows, columns], seed);
        const before = input.data.slice();
        const once = change(input, seeded(seed));
        expect(once.dims).toEqual(input.dims);
        expect(once.data.every(Number.isFinite)).toBe(true);
        expect(input.data).toEqual(before);
        expect(change(input, seeded(seed))).toEqual(once);
      }),
    );
  });

  test("keeps the energy within bounds: nothing vanishes, nothing explodes", () => {
    const input = noise([1, 3, 30, 40], 1, 0.5);
    for (let seed = 0; seed < 50; seed++) {
      const share = energy(change(input, seeded(seed))) / energy(input);
      expect(share).toBeGreaterThan(0.3);
      expect(share).toBeLessThan(2);
    }
  });

  test("changes something", () => {
    const input = noise([1, 3, 30, 40], 1);
    const changed = Array.from({ length: 10 }, (_, seed) => change(input, seeded(seed)).data);
    expect(changed.some((data) => data.some((value, i) => value !== input.data[i]))).toBe(true);
  });
});

describe("each keeps what it must", () => {
  test("a rotation keeps every vector's length, and the angle between acceleration and turning", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 3, noNaN: true }), (seed, most) => {
        const steps = 7;
        const input = noise([1, 6, steps], seed);
        const turned = rotate({ most })(input, seeded(seed));
        const vector = ({ data }: Tensor<Float32Array>, part: number, t: number) =>
          [0, 1, 2].map((c) => data[(part * 3 + c) * steps + t]!);
        const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
        for (let t = 0; t < steps; t++)
          for (const [a, b] of [
            [0, 0],
            [1, 1],
            [0, 1],
          ] as const)
            expect(dot(vector(turned, a, t), vector(turned, b, t))).toBeCloseTo(
              dot(vector(input, a, t), vector(input, b, t)),
              4,
            );
      }),
    );
  });

  test("a rotation turns by no more than it may", () => {
    const up = tensor([3, 1], Float32Array.of(0, 0, 1));
    const cosines = Array.from({ length: 500 }, (_, seed) => rotate({ most: 0.5 })(up, seeded(seed)).data[2]!);
    expect(Math.min(...cosines)).toBeGreaterThanOrEqual(Math.cos(0.5) - 1e-6);
    expect(Math.min(...cosines)).toBeLessThan(Math.cos(0.4));
  });

  test("a mask covers whole rows and columns, and no more of them than it may", () => {
    const [bins, frames] = [40, 50];
    const masks = specAugment({ times: 1, bands: 1, timeShare: 0.2, bandShare: 0.1 });
    for (let seed = 0; seed < 100; seed++) {
      const input = noise([1, bins, frames], seed);
      const { data } = masks(input, seeded(seed));
      const hidden = (at: number): boolean => data[at] !== input.data[at];
      const rows = Array.from({ length: bins }, (_, b) => b).filter((b) =>
        Array.from({ length: frames }, (_, t) => hidden(b * frames + t)).every(Boolean),
      );
      const columns = Array.from({ length: frames }, (_, t) => t).filter((t) =>
        Array.from({ length: bins }, (_, b) => hidden(b * frames + t)).every(Boolean),
      );
      expect(rows.length).toBeLessThanOrEqual(4);
      expect(columns.length).toBeLessThanOrEqual(10);
      const masked = data.filter((_, at) => hidden(at)).length;
      expect(masked).toBe(rows.length * frames + columns.length * bins - rows.length * columns.length);
    }
  });

  test("the whole picture, not mirrored, is the picture; a part of an even slope is a slope less steep", () => {
    const slope = tensor(
      [1, 1, 4, 8],
      Float32Array.from({ length: 32 }, (_, i) => i % 8),
    );
    expect(cropResize({ least: 1, aspect: 0 })(slope, seeded(1))).toEqual(slope);
    const part = cropResize({ least: 0.5, aspect: 0 })(slope, () => 0);
    expect([...part.data.slice(0, 8)]).toEqual([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25]);
  });

  test("planes of one picture are cut alike", () => {
    const one = noise([1, 1, 12, 10], 3);
    const three = tensor([1, 3, 12, 10], Float32Array.from([...one.data, ...one.data, ...one.data]));
    const cut = cropResize({ flip: true })(three, seeded(4)).data;
    expect(cut.slice(120, 240)).toEqual(cut.slice(0, 120));
    expect(cut.slice(240)).toEqual(cut.slice(0, 120));
  });
});

describe("by recipe", () => {
  const recipes = {
    vision: { kind: "vision", input: "x", size: 8, mean: [0], std: [1] },
    thermal: { kind: "thermal", input: "x", size: 8 },
    depth: { kind: "depth", input: "x", size: 8, as: "metres" },
    fbank: {
      kind: "fbank",
      input: "x",
      rate: 16000,
      bins: 9,
      frames: 8,
      mean: 0,
      std: 1,
      clips: { count: 1, length: "2s" },
    },
    waveform: { kind: "waveform", input: "x", rate: 16000, samples: 8 },
    imu: { kind: "series", input: "x", rate: 50, steps: 8, channels: ["ax", "ay", "az", "gx", "gy", "gz"] },
    gas: { kind: "series", input: "x", rate: 1, steps: 8, channels: ["a", "b", "c"] },
  };

  test.each(Object.entries(recipes))("%s has changes of its own", (_, recipe) => {
    const change = augmentationOf(Recipe.parse(recipe))!;
    const input = noise([1, 1, 9, 8], 1);
    expect(change(input, seeded(1)).dims).toEqual(input.dims);
  });

  test("texts have none", () => {
    const recipe = { kind: "text", tokenizer: "clip", file: "x", length: 77 };
    expect(augmentationOf(Recipe.parse(recipe))).toBeUndefined();
  });

  test("a channel is scaled as a whole, each by its own factor: a gas sensor's channels never mix", () => {
    const input = noise([1, 3, 8], 5, 10);
    const { data } = scaleChannels({ most: 0.1 })(input, seeded(2));
    const factors = [0, 1, 2].map((c) => data[c * 8]! / input.data[c * 8]!);
    for (const [i, value] of data.entries()) expect(value / input.data[i]!).toBeCloseTo(factors[Math.floor(i / 8)]!, 5);
    expect(new Set(factors).size).toBe(3);
  });
});
