import { expect, it } from "vitest";
import { seeded } from "../../src/core/random.js";
import { type Tensor, tensor } from "../../src/core/tensor.js";
import { decodeModel } from "../../src/onnx/decode.js";
import { encodeModel } from "../../src/onnx/encode.js";
import { graph } from "../../src/onnx/graph.js";
import { split } from "../../src/onnx/split.js";
import { run } from "./run.js";

const random = seeded(5);
const uniform = (dims: readonly number[]) =>
  tensor(
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
  );

it("a graph cut into pieces gives what the whole gives, with values that jump over pieces", async () => {
  const g = graph();
  const x = g.input("x", "float32", ["n", 16]);
  const shared = g.weight("shared", uniform([16, 16]));
  let y = x;
  for (let i = 0; i < 6; i++) {
    y = g.op("Add", [g.op("Tanh", [g.op("MatMul", [y, g.weight("w", uniform([16, 16]))])]), x]);
    y = g.op("MatMul", [y, shared]);
  }
  g.output("y", y);
  const feeds = { x: uniform([3, 16]) };
  const whole = await run(g, feeds);
  const pieces = split(decodeModel(encodeModel(g)), 3000);
  expect(pieces.length).toBeGreaterThan(2);
  let known: Record<string, Tensor> = { ...feeds };
  for (const piece of pieces) {
    const wanted = Object.fromEntries(piece.inputs.map(({ name }) => [name, known[name]!]));
    known = { ...known, ...(await run(piece, wanted)) };
  }
  expect(known.y).toEqual(whole.y);
});

it("a graph within the budget stays whole", () => {
  const g = graph();
  g.output("y", g.op("MatMul", [g.input("x", "float32", ["n", 4]), g.weight("w", uniform([4, 4]))]));
  expect(split(g, 1000)).toHaveLength(1);
});
