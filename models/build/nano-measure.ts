import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cosine, normalize, type UnitVector } from "../../src/core/embedding.js";
import { seeded, shuffle } from "../../src/core/random.js";
import type { Recipe } from "../../src/core/recipe.js";
import { openBundle } from "./bundle-runner.js";
import { wordDims } from "./nano-space.js";
import labels from "./person-labels.json" with { type: "json" };
import {
  cropped,
  depthRecipe,
  type Pair,
  readCamera,
  readDepthPairs,
  readThermalPairs,
  thermalRecipe,
  visionRecipe,
} from "./pictures.js";
import { aucOf } from "./probe.js";
import { textRecipe } from "./sentences.js";
import { readTable } from "./table.js";
import { backgroundOf, bestLogitScale, zeroShot } from "./tower-measures.js";
import { readSynsets, vocabularyOf } from "./wordnet.js";

/*
 * Measures the text, vision, thermal and depth towers on public data, and writes what the manifest says of them:
 *   npx tsx models/build/nano-measure.ts --data <data> [--bundle models/nano] [--facts models/build/towers]
 * Words: photos/ (190 photos of 23 coarse words; all 400 against the 1000 class names).
 * Retrieval: the pairs after the first 120 of thermal/ and depth/, which trained nothing.
 */

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    bundle: { type: "string", default: "models/nano" },
    facts: { type: "string", default: "models/build/towers" },
  },
});
if (values.data === undefined) throw new Error("--data is needed");
const { data } = { data: values.data };
const bundle = await openBundle(values.bundle);
const trained = 120;
const asked = ["person", "dog", "cat", "fire", "car", "empty room", "truck", "bicycle", "street", "building", "tree"];
const indoors = ["chair", "table", "kitchen", "computer", "furniture"];

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (const item of items) done.push(await work(item));
  return done;
}

/** Share of queries whose own partner is the nearest, and among the five nearest. */
function recall(queries: readonly UnitVector[], gallery: readonly UnitVector[]): string {
  const ranks = queries.map((query, i) => {
    const own = cosine(query, gallery[i]!);
    return gallery.filter((other) => cosine(query, other) > own).length;
  });
  const within = (k: number): string => percent(ranks.filter((rank) => rank < k).length / ranks.length);
  return `recall@1 ${within(1)}, @5 ${within(5)} of ${queries.length}`;
}

const part = (vectors: readonly UnitVector[], from: number, to: number): UnitVector[] =>
  vectors.map((vector) => normalize(vector.map((x, i) => (i >= from && i < to ? x : 0))));

/** How well the cosine with "person" tells pictures that show one from those that do not. */
function personAuc(
  vectors: readonly UnitVector[],
  shown: readonly (boolean | undefined)[],
  person: UnitVector,
): string {
  const held = vectors.flatMap((vector, i) =>
    shown[i] === undefined ? [] : [{ score: cosine(vector, person), shows: shown[i] }],
  );
  return `AUC ${aucOf(held).toFixed(3)} over ${held.length}`;
}

const synsets = await readSynsets(data);
const someWords = await bundle.texts(shuffle(vocabularyOf(synsets), seeded(3)).slice(0, 300));
const askedVectors = await bundle.texts([...asked, ...indoors]);
const person = askedVectors[0]!;

const photos = await readTable(join(data, "photos", "photos.csv"));
const photoVectors = await inTurn(photos, async ({ file }) =>
  bundle.frame(await readCamera(join(data, "photos", file!))),
);
const { words } = JSON.parse(await readFile(join(data, "photos", "coarse_words.json"), "utf8")) as {
  words: { word: string }[];
};
const coarse = words.map(({ word }) => word);
const judged = photos.flatMap(({ coarse: word }, i) =>
  word === "" ? [] : [{ vectors: [photoVectors[i]!], label: coarse.indexOf(word!) }],
);
for (const template of ["{}", "a photo of a {}", "a picture of the {}"]) {
  const texts = await bundle.texts(coarse.map((word) => template.replace("{}", word)));
  const { accuracy, balanced, files } = zeroShot(judged, texts);
  console.log(
    `photos, 23 coarse words, "${template}": ${percent(accuracy)} of ${files}, balanced ${percent(balanced)}, ` +
      `logit scale ${bestLogitScale(judged, texts)}`,
  );
}
const names = await bundle.texts(synsets.map(({ synset }) => synset[0]!));
const named = photos.map(({ class_index }, i) => ({ vectors: [photoVectors[i]!], label: Number(class_index) }));
const logitScale = bestLogitScale(named, names);
console.log(`photos, 1000 class names: ${percent(zeroShot(named, names).accuracy)} of 400, logit scale ${logitScale}`);
const photoShows = photos.map(({ wnid }) =>
  labels.photosUnclear.includes(wnid!) ? undefined : labels.photos.includes(wnid!),
);
console.log(`photos, "person" (these trained it): ${personAuc(photoVectors, photoShows, person)}`);

interface Background {
  readonly mean: number;
  readonly deviation: number;
}

async function measurePairs(name: string, pairs: readonly Pair[]): Promise<{ camera: Background; other: Background }> {
  const test = pairs.slice(trained);
  const cameras = await inTurn(test, ({ camera }) => bundle.frame(camera));
  const others = await inTurn(test, ({ other }) => bundle.frame(other));
  console.log(`${name} to camera: ${recall(others, cameras)}; camera to ${name}: ${recall(cameras, others)}`);
  const dim = cameras[0]!.length;
  for (const [what, from, to] of [
    ["words", 0, wordDims],
    ["layout", wordDims, dim],
  ] as const) {
    console.log(`  ${what} alone: ${recall(part(others, from, to), part(cameras, from, to))}`);
  }
  const apart = { left: 0.09, top: 0.03, width: 0.9, height: 0.9, flip: false };
  const shifted = await inTurn(test, ({ other }) => bundle.frame(cropped(other, apart)));
  console.log(`  seen 10 % narrower and off centre: ${recall(shifted, cameras)}`);
  for (const [who, vectors] of [
    ["camera", cameras],
    [name, others],
  ] as const) {
    const mean = askedVectors.map((text) => vectors.reduce((sum, v) => sum + cosine(text, v), 0) / vectors.length);
    const order = mean.map((_, i) => i).sort((a, b) => mean[b]! - mean[a]!);
    console.log(
      `  ${who}: ${order
        .slice(0, 8)
        .map((i) => `${[...asked, ...indoors][i]} ${mean[i]!.toFixed(2)}`)
        .join(", ")}`,
    );
    const shown = test.map((_, i) =>
      labels.pairsUnclear.includes(i + trained) ? undefined : labels.pairs.includes(i + trained),
    );
    if (name === "thermal") console.log(`  "person" in ${who} pictures: ${personAuc(vectors, shown, person)}`);
  }
  return { camera: backgroundOf(cameras, someWords), other: backgroundOf(others, someWords) };
}

async function writeFacts(
  name: string,
  preprocess: Recipe,
  { mean, deviation }: Background,
  scale = logitScale,
): Promise<void> {
  const facts = {
    graphs: [`${name}.onnx`],
    preprocess,
    ...(name === "text" ? {} : { window: { length: "1s", hop: "500ms" } }),
    prompts: ["{}"],
    logitScale: scale,
    background: { mean: Number(mean.toFixed(4)), deviation: Number(deviation.toFixed(4)) },
  };
  await writeFile(join(values.facts, `${name}.json`), `${JSON.stringify(facts, null, 2)}\n`);
  console.log(`${name}: logit scale ${scale}, background ${mean.toFixed(4)} +- ${deviation.toFixed(4)}`);
}

const streets = await measurePairs("thermal", await readThermalPairs(data));
const rooms = await measurePairs("depth", await readDepthPairs(data));
await writeFacts("text", textRecipe, backgroundOf(names.slice(0, 300), someWords), 20);
// Photos, streets and a room: what cameras look at.
const seen = backgroundOf(photoVectors, someWords);
const mean = (seen.mean + streets.camera.mean + rooms.camera.mean) / 3;
const deviation = (seen.deviation + streets.camera.deviation + rooms.camera.deviation) / 3;
await writeFacts("vision", visionRecipe, { mean, deviation });
await writeFacts("thermal", thermalRecipe, streets.other);
await writeFacts("depth", depthRecipe, rooms.other);
