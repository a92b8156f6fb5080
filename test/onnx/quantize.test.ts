import { describe, expect, it } from "vitest";
import { gaussian, seeded } from "../../src/core/random.js";
import { type Tensor, tensor } from "../../src/core/tensor.js";
import { type Graph, graph } from "../../src/onnx/graph.js";
import { halveWeights } from "../../src/onnx/half-weights.js";
import { int8Weights } from "../../src/onnx/int8-weights.js";
import { run } from "./run.js";

const random = seeded(11);
const normal = (dims: readonly number[]): Tensor<Float32Array> =>
  tensor(
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => gaussian(random)),
  );

/** Token ids through a table, a linear layer, a transposed Gemm, and a product shared by two layers. */
function network(): Graph {
  const g = graph();
  const ids = g.input("ids", "int64", ["n"]);
  const x = g.op("Gather", [g.weight("table", normal([500, 64])), ids]);
  const hidden = g.op("Relu", [
    g.op("Add", [g.op("MatMul", [x, g.weight("w", normal([64, 96]))]), g.weight("b", normal([96]))]),
  ]);
  const gemm = g.op("Gemm", [hidden, g.weight("v", normal([32, 96])), g.weight("c", normal([32]))], { transB: 1 });
  g.output("y", g.op("Add", [gemm, g.op("MatMul", [hidden, g.weight("u", normal([96, 32]))])]));
  return g;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, x, y] = [0, 0, 0];
  for (const [i, value] of a.entries()) [dot, x, y] = [dot + value * b[i]!, x + value ** 2, y + b[i]! ** 2];
  return dot / Math.sqrt(x * y);
}

const feeds = {
  ids: tensor(
    [40],
    BigInt64Array.from({ length: 40 }, (_, i) => BigInt(i * 11)),
  ),
};

describe("a graph with smaller weights", () => {
  it("as float16 gives nearly the same, from half the bytes", async () => {
    const g = network();
    const before = await run(g, feeds);
    expect(await halveWeights(g)).toBe(4 * (500 * 64 + 64 * 96 + 32 * 96 + 96 * 32));
    expect(g.weights.filter(({ type }) => type === "float16")).toHaveLength(4);
    const after = await run(g, feeds);
    expect(after.y!.dims).toEqual(before.y!.dims);
    expect(cosine(before.y!.data, after.y!.data)).toBeGreaterThan(0.999999);
  });

  it("as int8 gives about the same; no large float32 weight is left", async () => {
    const g = network();
    const before = await run(g, feeds);
    await int8Weights(g);
    expect(g.nodes.filter(({ op }) => op === "MatMulInteger")).toHaveLength(3);
    // The two layers behind the same activation share its quantisation.
    expect(g.nodes.filter(({ op }) => op === "DynamicQuantizeLinear")).toHaveLength(2);
    expect(
      g.weights.filter(({ type, shape }) => type === "float32" && Number(shape![0]) * Number(shape![1] ?? 1) > 500),
    ).toEqual([]);
    const after = await run(g, feeds);
    expect(cosine(before.y!.data, after.y!.data)).toBeGreaterThan(0.999);
  });

  it("keeps as float32 what float16 cannot hold", async () => {
    const g = graph();
    const large = normal([64, 64]);
    large.data[7] = 1e5;
    g.output("y", g.op("MatMul", [g.input("x", "float32", ["n", 64]), g.weight("w", large)]));
    expect(await halveWeights(g)).toBe(0);
  });

  it("as int8 gives zeros for a column of zeros", async () => {
    const g = graph();
    const w = normal([64, 64]);
    for (let i = 0; i < 64; i++) w.data[i * 64 + 5] = 0;
    g.output("y", g.op("MatMul", [g.input("x", "float32", ["n", 64]), g.weight("w", w)]));
    await int8Weights(g);
    const { y } = await run(g, { x: normal([1, 64]) });
    expect(y!.data[5]).toBe(0);
    expect(y!.data.every(Number.isFinite)).toBe(true);
  });
});

it("a graph with float16 weights can be made int8 like one with float32 weights", async () => {
  const g = network();
  const before = await run(g, feeds);
  await halveWeights(g);
  await int8Weights(g);
  expect(g.nodes.filter(({ op }) => op === "MatMulInteger")).toHaveLength(3);
  expect(g.weights.filter(({ type }) => type === "float16")).toEqual([]);
  expect(cosine(before.y!.data, (await run(g, feeds)).y!.data)).toBeGreaterThan(0.999);
});
