import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor } from "../../src/core/tensor.js";
import { loadGraph } from "../../src/encoder/onnxruntime.js";
import { saveModel } from "../../src/onnx/file.js";
import { graph } from "../../src/onnx/graph.js";
import { gridSide, gridWidth, orientationGrid } from "./orientation-grid.js";
import type { Affine } from "./principal.js";
import { type Matrix, rowsOf } from "./ridge.js";

/** Runs the orientation grid alone on grey pictures `[1, 1, 224, 224]` in 0..1. */
export async function gridReader(): Promise<(grey: readonly Float32Array[]) => Promise<Matrix>> {
  const g = graph({ name: "grid" });
  g.output("grid", orientationGrid(g, g.input("grey", "float32", ["batch", 1, gridSide, gridSide])));
  const path = join(await mkdtemp(join(tmpdir(), "nano-")), "grid.onnx");
  await saveModel(g, path);
  const session = await loadGraph(path, {});
  return async (grey) => {
    const data = new Float64Array(grey.length * gridWidth);
    for (const [i, plane] of grey.entries()) {
      const { grid } = await session.run({ grey: tensor([1, 1, gridSide, gridSide], plane) });
      data.set(grid!.data as Float32Array, i * gridWidth);
    }
    return { width: gridWidth, data };
  };
}

/** Mean of the rows. */
export function meanOf({ width, data }: Matrix): Float64Array {
  const n = rowsOf({ width, data });
  const mean = new Float64Array(width);
  for (let i = 0; i < data.length; i++) mean[i % width]! += data[i]! / n;
  return mean;
}

/** The camera's map for another sensor: the mean of its grids is moved to the mean of the camera's of the same scenes. */
export function aligned({ inputs, outputs, weights, bias }: Affine, camera: Matrix, other: Matrix): Affine {
  const [to, from] = [meanOf(camera), meanOf(other)];
  const moved = Float64Array.from(bias);
  for (let i = 0; i < inputs; i++)
    for (let c = 0; c < outputs; c++) moved[c]! += (to[i]! - from[i]!) * weights[i * outputs + c]!;
  return { inputs, outputs, weights, bias: moved };
}
