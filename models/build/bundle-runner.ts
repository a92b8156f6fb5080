import { join } from "node:path";
import { normalize, type UnitVector } from "../../src/core/embedding.js";
import type { Frame } from "../../src/core/reading.js";
import { loadGraph } from "../../src/encoder/onnxruntime.js";
import { depthTensor } from "../../src/window/depth.js";
import { thermalTensor } from "../../src/window/thermal.js";
import { visionTensor } from "../../src/window/vision.js";
import { depthRecipe, thermalRecipe, visionRecipe } from "./pictures.js";
import { sentenceRows, textRecipe } from "./sentences.js";

/** A frame to the numbers of its tower's input, by the recipes of the bundle. */
export function pixelsOf(frame: Frame) {
  if (frame.modality === "depth") return depthTensor(frame, depthRecipe);
  return frame.modality === "thermal" ? thermalTensor(frame, thermalRecipe) : visionTensor(frame, visionRecipe);
}

/** The picture and text towers in a folder: frames and texts to unit vectors, in this thread. */
export async function openBundle(folder: string) {
  const [vision, thermal, depth] = await Promise.all(
    ["vision", "thermal", "depth"].map((name) => loadGraph(join(folder, `${name}.onnx`), {})),
  );
  const towers = { vision: vision!, thermal: thermal!, depth: depth! };
  const rows = await sentenceRows(join(folder, "text.onnx"), join(folder, textRecipe.file));
  return {
    async frame(frame: Frame): Promise<UnitVector> {
      const { embedding } = await towers[frame.modality as keyof typeof towers].run({ pixels: pixelsOf(frame) });
      return normalize(embedding!.data as Float32Array);
    },
    async texts(texts: readonly string[]): Promise<UnitVector[]> {
      return (await rows(texts)).map(normalize);
    },
  };
}
export type OpenBundle = Awaited<ReturnType<typeof openBundle>>;
