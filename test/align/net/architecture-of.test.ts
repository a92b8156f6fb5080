import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { architectureOf, designed } from "../../../src/align/net/architecture-of.js";
import { finished } from "../../../src/align/net/net.js";
import { isSenseError } from "../../../src/core/errors.js";
import { type TrainingInput as Given, Training } from "../../../src/core/training.js";
import { graph } from "../../../src/onnx/graph.js";
import { toHalf } from "../../../src/onnx/half.js";
import { run } from "../../onnx/run.js";
import { distance } from "../../support/golden.js";
import { noise, probe, slopeError, weightsOf } from "./probe.js";

const dim = 6;

/** A frozen encoder of flattened maps [1, 8, 8] with a block's names: attention, an MLP by Gemm, and a matrix of no kind. */
function frozen(isHalf = false) {
  const g = graph({ opset: 20 });
  const x = g.input("map", "float32", ["n", 1, 8, 8]);
  const matrix = (name: string, dims: readonly number[], seed: number) => {
    const { data } = noise(dims, seed);
    const scaled = data.map((value) => value / Math.sqrt(dims[0]!));
    if (!isHalf) return g.weight(name, { dims, data: scaled });
    return g.op("Cast", [g.weight(name, { dims, data: toHalf(scaled) }, "float16")], { to: 1 });
  };
  const flat = g.op("Reshape", [x, g.ints([-1, 64])]);
  const stem = g.op("MatMul", [flat, matrix("stem.weight", [64, 10], 1)]);
  const mixed = g.op("MatMul", [stem, matrix("blocks.0.attn.out_proj.weight", [10, 10], 2)]);
  const bias = g.weight("blocks.0.mlp.fc1.bias", noise([dim], 4));
  g.output("z", g.op("Gemm", [mixed, matrix("blocks.0.mlp.fc1.weight", [dim, 10], 3), bias], { transB: 1 }));
  return g;
}

const small = { width: 8, depth: 1, heads: 2 } as const;
const cases: readonly (readonly [name: string, given: Given, dims: readonly number[]])[] = [
  ["a head on frozen vectors", { head: { hidden: 5 } }, [dim]],
  ["a series encoder", { encoder: { kind: "series", ...small, patch: 3, biasKv: true } }, [3, 10]],
  ["a series encoder with a head", { encoder: { kind: "series", ...small }, head: { hidden: 7 } }, [3, 10]],
  ["patches of maps", { encoder: { kind: "patches", ...small, patch: [4, 2] } }, [1, 8, 8]],
  ["3-D patches of video", { encoder: { kind: "video", ...small, patch: [2, 4, 4] } }, [3, 4, 8, 8]],
  ["video with a head", { encoder: { kind: "video", ...small }, head: {} }, [3, 2, 32, 32]],
  ["convolutions with group norm", { encoder: { kind: "convolution", stages: [4, 6], groups: 2 } }, [1, 8, 8]],
  ["convolutions with a head", { encoder: { kind: "convolution", stages: [4] }, head: { hidden: 5 } }, [2, 8, 8]],
  ["edges", { encoder: { kind: "edges", cells: [2, 1] } }, [1, 8, 8]],
  ["low-rank updates", { lora: { rank: 2 } }, [1, 8, 8]],
  ["low-rank updates of attention alone", { lora: { rank: 2, matrices: ["attention"] } }, [1, 8, 8]],
  ["low-rank updates and a head", { lora: { rank: 2, alpha: 3 }, head: { hidden: 5 } }, [1, 8, 8]],
  ["low-rank updates and an encoder", { lora: {}, encoder: { kind: "convolution", stages: [4] } }, [1, 8, 8]],
  ["all three", { lora: {}, encoder: { kind: "patches", ...small }, head: {} }, [1, 8, 8]],
];

const around = (dims: readonly number[]) => ({ dims, dim, graphs: [frozen()] });

describe.each(cases)("%s", (_, given, dims) => {
  const architecture = architectureOf(given, around(dims));
  // Weights that begin at zero would hide what lies behind them.
  const weights = weightsOf(architecture, [3, ...dims]).map((p, i) => {
    const more = noise(p.dims, 50 + i).data;
    return { ...p, data: p.data.map((value, j) => value + 0.3 * more[j]!) };
  });

  test("gives unit rows, the same for each row whatever the batch", async () => {
    const built = finished(architecture, ["n", ...dims], weights);
    const x = noise([3, ...dims], 2);
    const { embedding } = await run(built, { input: x });
    expect(embedding!.dims).toEqual([3, dim]);
    const size = x.data.length / 3;
    for (let row = 0; row < 3; row++) {
      const own = embedding!.data.subarray(row * dim, (row + 1) * dim);
      expect(Math.abs(Math.hypot(...own) - 1)).toBeLessThan(1e-5);
      const alone = { dims: [1, ...dims], data: x.data.slice(row * size, (row + 1) * size) };
      const { embedding: single } = await run(built, { input: alone });
      expect(distance(single!.data, own).max).toBeLessThan(1e-5);
    }
  });

  test("has a gradient for every weight, and together they are the slope", async () => {
    const x = noise([3, ...dims], 3);
    const { gradients } = await probe(architecture, x, weights);
    for (const { name } of weights)
      expect(
        gradients.get(name)!.some((d) => Math.abs(d) > 1e-9),
        name,
      ).toBe(true);
    expect(await slopeError(architecture, x, weights)).toBeLessThan(0.01);
  });

  test("is filled in to a design that gives the same network", () => {
    const filled = designed(Training.parse(given), around(dims)).training;
    expect(Training.parse(filled)).toEqual(filled);
    expect(weightsOf(architectureOf(filled, around(dims)), [3, ...dims])).toEqual(
      weightsOf(architecture, [3, ...dims]),
    );
  });
});

test("whatever is put on a frozen encoder begins as the encoder was", async () => {
  const dims = [1, 8, 8];
  const x = noise([2, ...dims], 5);
  const { z } = await run(frozen(), { map: x });
  for (const given of [
    { lora: {} },
    { lora: {}, head: {} },
    { lora: {}, encoder: { kind: "convolution", stages: [4] }, head: { hidden: 3 } },
  ] satisfies Given[]) {
    const architecture = architectureOf(given, around(dims));
    const { embedding } = await run(finished(architecture, ["n", ...dims], weightsOf(architecture, [2, ...dims])), {
      input: x,
    });
    for (let row = 0; row < 2; row++) {
      const was = z!.data.slice(row * dim, (row + 1) * dim);
      const scaled = was.map((value) => value / Math.hypot(...was));
      expect(distance(embedding!.data.slice(row * dim, (row + 1) * dim), scaled).max).toBeLessThan(1e-5);
    }
  }
});

test("updates go to the matrices that were asked for, by their names", () => {
  const names = (matrices: "all" | ("attention" | "mlp")[]) =>
    weightsOf(architectureOf({ lora: { rank: 1, matrices } }, around([1, 8, 8])), [1, 1, 8, 8]).map(({ dims }) => dims);
  expect(names(["attention"])).toEqual([
    [10, 1],
    [1, 10],
  ]);
  expect(names(["mlp"])).toEqual([
    [10, 1],
    [1, dim],
  ]);
  expect(names("all")).toHaveLength(6);
});

test("weights that are kept as float16 are known by their names", async () => {
  const half = frozen(true);
  const architecture = architectureOf(
    { lora: { rank: 1, matrices: ["mlp"] } },
    { dims: [1, 8, 8], dim, graphs: [half] },
  );
  const weights = weightsOf(architecture, [2, 1, 8, 8]);
  expect(weights.map((p) => p.dims)).toEqual([
    [10, 1],
    [1, dim],
  ]);
  expect(await slopeError(architecture, noise([2, 1, 8, 8], 3), weights)).toBeLessThan(0.01);
});

test("an updated encoder can be updated again, with new updates beside the same matrices and a head on the old one", async () => {
  const dims = [1, 8, 8];
  const training: Given = { lora: { rank: 2 }, encoder: { kind: "convolution", stages: [4] }, head: { hidden: 4 } };
  const first = architectureOf(training, around(dims));
  const old = weightsOf(first, [1, ...dims]);
  const once = finished(first, ["n", ...dims], old);
  const again = architectureOf(training, { dims, dim, graphs: [once] });
  const weights = weightsOf(again, [2, ...dims]);
  const names = weights.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(old.map(({ name }) => name)));
  expect(names.filter((name) => name.startsWith("lora.") && name.includes("lora.", 1))).toEqual([]);
  const x = noise([2, ...dims], 8);
  const { embedding: before } = await run(once, { input: x });
  const { embedding } = await run(finished(again, ["n", ...dims], weights), { input: x });
  expect(distance(embedding!.data, before!.data).max).toBeLessThan(1e-5);
});

describe("refusals tell the values and what to do", () => {
  const int8 = () => {
    const g = graph({ opset: 20 });
    const x = g.input("x", "float32", ["n", 4]);
    const [q] = g.ops("DynamicQuantizeLinear", [x], {}, { outputs: 3 });
    const w = g.weight("w", { dims: [4, 4], data: new Int8Array(16) });
    g.output("y", g.op("Cast", [g.op("MatMulInteger", [q, w])], { to: 1 }));
    return g;
  };
  const bare = () => {
    const g = graph({ opset: 20 });
    g.output("y", g.op("Relu", [g.input("x", "float32", ["n", 4])]));
    return g;
  };
  const plain = () => {
    const g = graph({ opset: 20 });
    const w = g.weight("w", { dims: [4, 4], data: new Float32Array(16) });
    g.output("y", g.op("MatMul", [g.input("x", "float32", ["n", 4]), w]));
    return g;
  };
  const map = { dims: [1, 10, 12], dim };
  test.each<[string, Given, Parameters<typeof architectureOf>[1], RegExp, RegExp]>([
    ["pictures", { encoder: { kind: "series" } }, map, /series takes channels x samples.*maps 1 x 10 x 12/, /patches/],
    ["series", { encoder: { kind: "video" } }, { dims: [8, 20], dim }, /video takes .*series 8 x 20/, /series for/],
    ["pictures for edges", { encoder: { kind: "edges" } }, { dims: [3, 32, 32], dim }, /edges takes 1 x/, /colours/],
    ["cells", { encoder: { kind: "edges" } }, map, /14 x 14 cells do not fit .* 10 x 12/, /8 cells or fewer/],
    ["patches", { encoder: { kind: "patches", patch: [4, 4] } }, map, /4 x 4 do not divide 10 x 12: 10/, /1, 2, 5, 10/],
    [
      "tokens",
      { encoder: { kind: "patches", patch: [1, 1] } },
      { dims: [1, 64, 64], dim },
      /1 x 1 make 4096 tokens of 64 x 64; 1024/,
      /larger/,
    ],
    [
      "long patches",
      { encoder: { kind: "series", patch: 30 } },
      { dims: [8, 20], dim },
      /30 samples is longer/,
      /shorter/,
    ],
    ["stages", { encoder: { kind: "convolution", stages: [8, 8, 8, 8] } }, map, /4 stages halve 10 x 12/, /3 stages/],
    ["names", { lora: { matrices: ["mlp"] } }, { dims: [4], dim, graphs: [plain()] }, /neither.*not of mlp/, /"all"/],
    ["no matrix", { lora: {} }, { dims: [4], dim, graphs: [bare()] }, /no matrix/, /--train head/],
    [
      "heads",
      { encoder: { kind: "series", width: 30, heads: 4 } },
      map,
      /encoder\.width: 30 .* 4 heads; take 28 or 32/,
      /schema/,
    ],
    ["nothing", {}, map, /nothing is to be trained/, /schema/],
  ])("%s", (_, given, surroundings, message, hint) => {
    try {
      architectureOf(given, surroundings);
      expect.unreachable();
    } catch (error) {
      expect(isSenseError(error, "BAD_ARGUMENT"), String(error)).toBe(true);
      expect((error as Error).message).toMatch(message);
      expect((error as { hint?: string }).hint).toMatch(hint);
    }
  });

  test("an int8 encoder cannot be updated, by its operator's name", () => {
    try {
      architectureOf({ lora: {} }, { dims: [4], dim, graphs: [int8()] });
      expect.unreachable();
    } catch (error) {
      expect(isSenseError(error, "BAD_MODEL") && error.message).toMatch(/int8 \(DynamicQuantizeLinear, /);
      expect(isSenseError(error) && error.hint).toMatch(/fp32 or fp16/);
    }
  });
});

test("lengths that are left out fit any input", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 130 }), fc.integer({ min: 1, max: 210 }), (a, b) => {
      const dims = [1, a, b];
      const { training } = designed({ encoder: { kind: "patches", ...small, biasKv: false } }, { dims, dim });
      const [rows, columns] = (training.encoder as { patch: [number, number] }).patch;
      expect(a % rows === 0 && b % columns === 0).toBe(true);
      expect((a / rows) * (b / columns)).toBeLessThanOrEqual(96);
      const series = designed({ encoder: { kind: "series", ...small, biasKv: false } }, { dims: [a, b], dim });
      const { patch } = series.training.encoder as { patch: number };
      expect(Math.floor(b / patch)).toBeGreaterThanOrEqual(1);
      expect(Math.floor(b / patch)).toBeLessThanOrEqual(32);
    }),
    { numRuns: 60 },
  );
});
