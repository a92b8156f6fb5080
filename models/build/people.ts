import { join } from "node:path";
import type { Frame } from "../../src/core/reading.js";
import { loadGraph } from "../../src/encoder/onnxruntime.js";
import { saveModel } from "../../src/onnx/file.js";
import { graph } from "../../src/onnx/graph.js";
import { visionTensor } from "../../src/window/vision.js";
import { type Backbone, backboneFeatures, backboneInput } from "./efficientnet-lite.js";
import labels from "./person-labels.json" with { type: "json" };
import { type Pair, visionRecipe } from "./pictures.js";
import { type Example, fitProbe, type ProbeReport } from "./probe.js";

/** Words for the one thing that every camera is asked for and ImageNet has no class of. */
export const personWords = ["person", "people", "human", "man", "woman", "pedestrian"];

const folds = 5;
const options = { lambda: 1, folds };

/** Runs the backbone over frames; it lies, with the weights it shares, in `folder`. */
async function featureReader(backbone: Backbone, folder: string): Promise<(frame: Frame) => Promise<Float32Array>> {
  const g = graph({ name: "features" });
  const { size } = backboneInput;
  g.output("features", backboneFeatures(g, backbone, g.input("pixels", "float32", ["batch", 3, size, size])));
  const path = join(folder, "features.onnx");
  await saveModel(g, path);
  const session = await loadGraph(path, {});
  return async (frame) =>
    (await session.run({ pixels: visionTensor(frame, visionRecipe) })).features!.data as Float32Array;
}

/** ITU-R 601-2 luma, and its negative: a person in the infrared may be brighter or darker than what is around. */
function greys(frame: Frame): Frame[] {
  const grey = new Uint8Array(frame.width * frame.height);
  for (let i = 0; i < grey.length; i++)
    grey[i] = Math.round(0.299 * frame.data[3 * i]! + 0.587 * frame.data[3 * i + 1]! + 0.114 * frame.data[3 * i + 2]!);
  return [grey, grey.map((v) => 255 - v)].map((data) => ({ ...frame, format: "gray8", data }));
}

/** Probes for a person in a camera's and in a thermal picture, from photos of one class each and from pairs of street scenes. */
export async function personProbes(
  backbone: Backbone,
  {
    folder,
    photos,
    pairs,
  }: {
    readonly folder: string;
    readonly photos: readonly { wnid: string; frame: Frame }[];
    readonly pairs: readonly Pair[];
  },
): Promise<{ camera: ProbeReport; thermal: ProbeReport }> {
  const featuresOf = await featureReader(backbone, folder);
  const [camera, thermal]: [Example[], Example[]] = [[], []];
  for (const [i, { wnid, frame }] of photos.entries()) {
    if (labels.photosUnclear.includes(wnid)) continue;
    const known = { shows: labels.photos.includes(wnid), fold: (i * 7) % folds };
    const grey = await Promise.all(greys(frame).map(featuresOf));
    camera.push({ ...known, features: await featuresOf(frame), own: true });
    for (const features of grey) for (const list of [camera, thermal]) list.push({ ...known, features, own: false });
  }
  for (const [i, pair] of pairs.entries()) {
    if (labels.pairsUnclear.includes(i)) continue;
    const known = { shows: labels.pairs.includes(i), fold: Math.floor((i * folds) / pairs.length) };
    camera.push({ ...known, features: await featuresOf(pair.camera), own: true });
    thermal.push({ ...known, features: await featuresOf(pair.other), own: true });
  }
  return { camera: fitProbe(camera, options), thermal: fitProbe(thermal, options) };
}
