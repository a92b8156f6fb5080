import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Frame } from "../../src/core/reading.js";
import { tensor } from "../../src/core/tensor.js";
import { loadGraph } from "../../src/encoder/onnxruntime.js";
import { saveModel } from "../../src/onnx/file.js";
import { graph } from "../../src/onnx/graph.js";
import { depthTensor } from "../../src/window/depth.js";
import { thermalTensor } from "../../src/window/thermal.js";
import { layoutDims } from "./nano-space.js";
import { gridSide, gridWidth, orientationGrid } from "./orientation-grid.js";
import { cropped, depthRecipe, type Pair, thermalRecipe, whole } from "./pictures.js";
import { type Affine, principal } from "./principal.js";
import { type Matrix, rowsOf } from "./ridge.js";

/** Half whitened: the strongest directions, which all pictures of a kind share, count for less. */
const whiten = 0.5;

/** A frame as grey in 0..1, resized and cropped as its tower's recipe does. */
function greyOf(frame: Frame): Float32Array {
  return frame.modality === "depth" ? depthTensor(frame, depthRecipe).data : thermalTensor(frame, thermalRecipe).data;
}

/** Runs the orientation grid alone. */
async function gridReader(): Promise<(frames: readonly Frame[]) => Promise<Matrix>> {
  const g = graph({ name: "grid" });
  g.output("grid", orientationGrid(g, g.input("grey", "float32", ["batch", 1, gridSide, gridSide])));
  const path = join(await mkdtemp(join(tmpdir(), "nano-")), "grid.onnx");
  await saveModel(g, path);
  const session = await loadGraph(path, {});
  return async (frames) => {
    const data = new Float64Array(frames.length * gridWidth);
    for (const [i, frame] of frames.entries()) {
      const { grid } = await session.run({ grey: tensor([1, 1, gridSide, gridSide], greyOf(frame)) });
      data.set(grid!.data as Float32Array, i * gridWidth);
    }
    return { width: gridWidth, data };
  };
}

export interface LayoutSources {
  readonly photos: readonly Frame[];
  readonly thermal: readonly Pair[];
  readonly depth: readonly Pair[];
}

/** The maps to the layout dimensions: principal components of what cameras see, and the same for the sensors beside them. */
export async function layoutMaps({
  photos,
  thermal,
  depth,
}: LayoutSources): Promise<{ camera: Affine; thermal: Affine; depth: Affine }> {
  const read = await gridReader();
  const views = [whole, { ...whole, flip: true }];
  const grids = (pairs: readonly Pair[], which: "camera" | "other"): Promise<Matrix> =>
    read(pairs.flatMap((pair) => views.map((view) => cropped(pair[which], view))));
  const streets = await grids(thermal, "camera");
  const rooms = await grids(depth, "camera");
  const camera = principal(joined([await read(photos), streets, rooms]), { count: layoutDims, whiten });
  return {
    camera,
    thermal: aligned(camera, streets, await grids(thermal, "other")),
    depth: aligned(camera, rooms, await grids(depth, "other")),
  };
}

function joined(parts: readonly Matrix[]): Matrix {
  const all = new Float64Array(parts.reduce((n, { data }) => n + data.length, 0));
  let at = 0;
  for (const { data } of parts) {
    all.set(data, at);
    at += data.length;
  }
  return { width: parts[0]!.width, data: all };
}

/** Mean of the rows. */
function meanOf({ width, data }: Matrix): Float64Array {
  const n = rowsOf({ width, data });
  const mean = new Float64Array(width);
  for (let i = 0; i < data.length; i++) mean[i % width]! += data[i]! / n;
  return mean;
}

/** The camera's map for another sensor: the mean of its grids is moved to the mean of the camera's of the same scenes. */
function aligned({ inputs, outputs, weights, bias }: Affine, camera: Matrix, other: Matrix): Affine {
  const [to, from] = [meanOf(camera), meanOf(other)];
  const moved = Float64Array.from(bias);
  for (let i = 0; i < inputs; i++)
    for (let c = 0; c < outputs; c++) moved[c]! += (to[i]! - from[i]!) * weights[i * outputs + c]!;
  return { inputs, outputs, weights, bias: moved };
}
