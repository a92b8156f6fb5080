import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cosine, type UnitVector } from "../../src/core/embedding.js";
import { seeded, shuffle } from "../../src/core/random.js";
import { openBundle } from "./bundle-runner.js";
import { cropped, type Pair, readCamera, readDepthPairs, readThermalPairs } from "./pictures.js";
import { readTable } from "./table.js";
import { backgroundOf, bestLogitScale, zeroShot } from "./tower-measures.js";
import { readSynsets, vocabularyOf } from "./wordnet.js";

/*
 * Measures the text, vision, thermal and depth towers on public data:
 *   npx tsx models/build/nano-measure.ts --data <data> [--bundle models/nano]
 * Words: photos/ (190 photos of 23 coarse words; all 400 against the 1000 class names).
 * Retrieval: the pairs after the first 120 of thermal/ and depth/, which trained nothing.
 */

const { values } = parseArgs({
  options: { data: { type: "string" }, bundle: { type: "string", default: "models/nano" } },
});
if (values.data === undefined) throw new Error("--data is needed");
const { data } = { data: values.data };
const bundle = await openBundle(values.bundle);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Share of queries whose own partner is the nearest, and among the five nearest. */
function recall(queries: readonly UnitVector[], gallery: readonly UnitVector[]): string {
  const ranks = queries.map((query, i) => {
    const own = cosine(query, gallery[i]!);
    return gallery.filter((other) => cosine(query, other) > own).length;
  });
  const within = (k: number): string => percent(ranks.filter((rank) => rank < k).length / ranks.length);
  return `recall@1 ${within(1)}, @5 ${within(5)} of ${queries.length}`;
}

const inTurn = async <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> => {
  const done: R[] = [];
  for (const item of items) done.push(await work(item));
  return done;
};

const synsets = await readSynsets(data);
const vocabulary = vocabularyOf(synsets);
const someWords = await bundle.texts(shuffle(vocabulary, seeded(3)).slice(0, 300));

const photos = await readTable(join(data, "photos", "photos.csv"));
const photoVectors = await inTurn(photos, async ({ file }) =>
  bundle.frame(await readCamera(join(data, "photos", file!))),
);
const { words: coarse } = JSON.parse(await readFile(join(data, "photos", "coarse_words.json"), "utf8")) as {
  words: { word: string }[];
};
const coarseWords = coarse.map(({ word }) => word);
const judged = photos.flatMap(({ coarse: word }, i) =>
  word === "" ? [] : [{ vectors: [photoVectors[i]!], label: coarseWords.indexOf(word!) }],
);
for (const template of ["{}", "a photo of a {}"]) {
  const texts = await bundle.texts(coarseWords.map((word) => template.replace("{}", word)));
  const { accuracy, balanced, files } = zeroShot(judged, texts);
  console.log(
    `photos, 23 coarse words, "${template}": ${percent(accuracy)} of ${files}, balanced ${percent(balanced)}, best logit scale ${bestLogitScale(judged, texts)}`,
  );
}
const names = await bundle.texts(synsets.map(({ synset }) => synset[0]!));
const named = photos.map(({ class_index }, i) => ({ vectors: [photoVectors[i]!], label: Number(class_index) }));
console.log(
  `photos, 1000 class names: ${percent(zeroShot(named, names).accuracy)} of ${named.length}, best logit scale ${bestLogitScale(named, names)}`,
);
console.log("photos, background", backgroundOf(photoVectors, someWords));

async function measurePairs(name: string, pairs: readonly Pair[]): Promise<void> {
  const test = pairs.slice(120);
  const cameras = await inTurn(test, ({ camera }) => bundle.frame(camera));
  const others = await inTurn(test, ({ other }) => bundle.frame(other));
  console.log(`${name} to camera: ${recall(others, cameras)}; camera to ${name}: ${recall(cameras, others)}`);
  const part = (from: number, to: number) => (vectors: readonly UnitVector[]) =>
    vectors
      .map((v) => v.map((x, i) => (i >= from && i < to ? x : 0)) as UnitVector)
      .map((v) => {
        const n = Math.hypot(...v);
        return v.map((x) => x / n) as UnitVector;
      });
  for (const [what, of] of [
    ["words alone", part(0, 384)],
    ["layout alone", part(384, 512)],
  ] as const)
    console.log(`  ${what}: ${recall(of(others), of(cameras))}`);
  const apart = { left: 0.09, top: 0.03, width: 0.9, height: 0.9, flip: false };
  const shifted = await inTurn(test, ({ other }) => bundle.frame(cropped(other, apart)));
  console.log(`  seen 10 % narrower and off centre: ${recall(shifted, cameras)}`);
  console.log(`  background`, backgroundOf(others, someWords), "camera", backgroundOf(cameras, someWords));
  const asked = [
    "person",
    "car",
    "truck",
    "bicycle",
    "street",
    "road",
    "building",
    "tree",
    "dog",
    "cat",
    "fire",
    "empty room",
    "chair",
    "table",
    "kitchen",
    "computer",
    "boat",
    "bird",
  ];
  const texts = await bundle.texts(asked);
  for (const [who, vectors] of [
    ["camera", cameras],
    [name, others],
  ] as const) {
    const mean = texts.map((t) => vectors.reduce((s, v) => s + cosine(t, v), 0) / vectors.length);
    console.log(
      `  ${who}: ${asked
        .map((w, i) => [w, mean[i]!] as const)
        .sort((a, b) => b[1] - a[1])
        .slice(0, 8)
        .map(([w, c]) => `${w} ${c.toFixed(2)}`)
        .join(", ")}`,
    );
  }
}
await measurePairs("thermal", await readThermalPairs(data));
await measurePairs("depth", await readDepthPairs(data));
