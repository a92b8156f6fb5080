import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor } from "../../src/core/tensor.js";
import { saveModel } from "../../src/onnx/file.js";
import { type Graph, graph } from "../../src/onnx/graph.js";
import type { ContractGraphs } from "../../src/testing/runtime-contract.js";

async function save(model: Graph, path: string): Promise<string> {
  await saveModel(model, path);
  return path;
}

function affine(): Graph {
  const g = graph();
  const x = g.input("x", "float32", ["n", 3]);
  g.output("y", g.op("Add", [g.op("Mul", [x, g.floats(2)]), g.floats(1)]));
  return g;
}

function types(): Graph {
  const g = graph();
  g.output("ids_out", g.op("Identity", [g.input("ids", "int64", ["n"])]));
  g.output("half_out", g.op("Identity", [g.input("half", "float16", ["m"])]));
  return g;
}

/** Products of 1024 x 1024 matrices of zeros, added to x: 2 GFLOP each. */
export function slow(products = 8): Graph {
  const g = graph();
  const x = g.input("x", "float32", [1]);
  const zeros = g.weight("zeros", tensor([1024, 1024], new Float32Array(1024 * 1024)));
  let value = g.op("Add", [zeros, g.op("Mul", [x, g.floats(0)])]);
  for (let i = 0; i < products; i++) value = g.op("MatMul", [value, zeros]);
  g.output("y", g.op("Add", [x, g.op("ReduceMean", [value], { keepdims: 0 })]));
  return g;
}

/** Writes the graphs of the runtime contract into a folder of their own. */
export async function contractGraphs(): Promise<ContractGraphs> {
  const folder = await mkdtemp(join(tmpdir(), "sensebind-graphs-"));
  const broken = join(folder, "broken.onnx");
  await writeFile(broken, "no model at all");
  return {
    affine: await save(affine(), join(folder, "affine.onnx")),
    types: await save(types(), join(folder, "types.onnx")),
    slow: await save(slow(), join(folder, "slow.onnx")),
    broken,
  };
}
