import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { cosine, normalize, type UnitVector } from "../../src/core/embedding.js";
import { decodeNpy } from "../../src/core/npy.js";
import { gaussian, seeded } from "../../src/core/random.js";
import { tensor } from "../../src/core/tensor.js";

import { loadGraph } from "../../src/encoder/onnxruntime.js";
import { saveModel } from "../../src/onnx/file.js";
import { graph } from "../../src/onnx/graph.js";
import { backgroundWords } from "../../src/space/background-words.js";
import { resampleSeries } from "../../src/window/series.js";
import { addConceptHead, applyConceptHead, type ConceptHead, type Example, fitConceptHead } from "./concept-head.js";
import { apart } from "./contrast.js";
import { activityConcepts, beforeFall, dailyWords, type ImuConcept, imuConcepts } from "./imu-concepts.js";
import { imuFeatures, rate, steps } from "./imu-features.js";
import { lesserSensor } from "./lesser-imu.js";
import { readTable } from "./table.js";
import { textVectors } from "./text-vectors.js";
import {
  type Accuracy,
  askedAlone,
  backgroundOf,
  bestLogitScale,
  type Judged,
  ofFile,
  zeroShot,
} from "./tower-measures.js";

/*
 * Makes models/nano/imu.onnx:
 *   npx tsx models/build/nano-imu.ts --data <dir>
 * data: imu/recordings.csv with its recordings (SisFall), teachers/imagenet_labels1000.json.
 */

const names = Object.keys(imuConcepts) as ImuConcept[];
const settings = { lambda: 300, sharpness: 10, balance: 0.25, cap: 0.1 };
/** What is true at once: the first is not kept apart from the second. */
const together = new Set([
  "fall fallen",
  "fallen fall",
  "still fallen",
  "fallen still",
  "stumble walk",
  "stairs walk",
  "roll lie",
  "lie roll",
]);
const channels = ["ax", "ay", "az", "gx", "gy", "gz"];

interface Recording {
  readonly subject: string;
  readonly activity: string;
  readonly fall: boolean;
  /** A window every second. */
  readonly windows: readonly SeenWindow[];
}

interface SeenWindow {
  /** What happens in it, where that is certain. */
  readonly concept: ImuConcept | undefined;
  readonly features: Float32Array;
  /** As a cheaper sensor, mounted another way, would have seen it. */
  readonly lesser: Float32Array;
}

/** An axis-aligned window without any motion but sensor noise: a board on a table. */
function atRest(random: () => number): Float32Array {
  const direction = normalize([gaussian(random), gaussian(random), gaussian(random)]);
  const [accel, gyro] = [0.005 * 20 ** random(), 0.0005 * 20 ** random()];
  const out = new Float32Array(channels.length * steps);
  for (let c = 0; c < channels.length; c++)
    for (let t = 0; t < steps; t++)
      out[c * steps + t] = c < 3 ? 9.80665 * direction[c]! + accel * gaussian(random) : gyro * gaussian(random);
  return out;
}

/** SI units from SisFall's raw counts (ADXL345, 32 g in 13 bits; ITG3200, 4000 degrees per second in 16 bits), at the tower's rate. */
async function readRecording(path: string, row: Record<string, string>): Promise<Float32Array[]> {
  const { dims, data } = decodeNpy(gunzipSync(await readFile(path)));
  const accel = Number(row.accel_g_per_count) * 9.80665;
  const gyro = (Number(row.gyro_dps_per_count) * Math.PI) / 180;
  return channels.map((_, c) => {
    const plane = Float32Array.from({ length: dims[0]! }, (_, t) => Number(data[t * 6 + c]!) * (c < 3 ? accel : gyro));
    return resampleSeries(plane, { from: Number(row.rate_hz), to: rate });
  });
}

const norms = (planes: readonly Float32Array[]): Float32Array =>
  planes[0]!.map((_, t) => Math.hypot(...planes.map((plane) => plane[t]!)));

/** What happens in a window that begins at `start`, as far as the recording's name and its strongest impact tell. */
function conceptAt(
  start: number,
  { row, accel, gyro }: { row: Record<string, string>; accel: Float32Array; gyro: Float32Array },
): ImuConcept | undefined {
  const [a, g] = [accel.subarray(start, start + steps), gyro.subarray(start, start + steps)];
  const mean = a.reduce((sum, x) => sum + x, 0) / steps;
  const sway = Math.sqrt(a.reduce((sum, x) => sum + (x - mean) ** 2, 0) / steps);
  const moving = sway > 0.6 || g.reduce((sum, x) => sum + x, 0) / steps > 0.35;
  const activity = row.activity!;
  if (row.kind === "daily") return moving || activity === "D14" ? activityConcepts[activity] : "still";
  const impact = (accel.indexOf(Math.max(...accel)) - start) / rate;
  const seconds = steps / rate;
  if (impact >= 0.5 && impact <= seconds - 0.4) return "fall";
  if (impact > seconds + 0.3) return moving ? beforeFall[activity] : "still";
  if (impact < -0.3) return moving ? undefined : "fallen";
  return undefined;
}

const meanOf = (vectors: readonly UnitVector[]): UnitVector =>
  normalize(Array.from(vectors[0]!, (_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0)));

/** `a + factor b`, of unit length. */
const plus = (a: UnitVector, factor: number, b: UnitVector): UnitVector =>
  normalize(a.map((x, i) => x + factor * b[i]!));

/**
 * Where windows of each concept go. Sentences about lying down or rolling over are closer to "a person has fallen" than to most
 * daily words, so a daily concept loses its part along the fall and leans to words of daily life; the fall leans away from them.
 */
function targets(phrases: ReadonlyMap<ImuConcept, readonly UnitVector[]>, daily: UnitVector): UnitVector[] {
  const fall = meanOf(phrases.get("fall")!);
  return names.map((name) => {
    const own = meanOf(phrases.get(name)!);
    if (name === "fall") return plus(own, -0.4, daily);
    if (name === "fallen") return plus(own, 0.5, fall);
    const along = cosine(own, fall);
    return normalize(own.map((x, i) => x - along * fall[i]! + 0.4 * daily[i]!));
  });
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

const { values: options } = parseArgs({
  options: {
    data: { type: "string" },
    out: { type: "string", default: "models/nano" },
    text: { type: "string", default: "models/nano" },
  },
});
if (!options.data) throw new Error("usage: nano-imu.ts --data <dir> [--text <dir of text.onnx>] [--out <dir>]");
const folder = join(options.data, "imu");

async function build(head: ConceptHead | undefined, path: string): Promise<void> {
  const g = graph({ name: "sensebind nano imu" });
  const features = imuFeatures(g, g.input("imu", "float32", ["batch", channels.length, steps]));
  g.output("embedding", head ? addConceptHead(g, features, head) : features);
  await saveModel(g, path);
}

const trunk = join(await mkdtemp(join(tmpdir(), "nano-imu-")), "features.onnx");
await build(undefined, trunk);
const session = await loadGraph(trunk, {});

async function featuresOf(windows: readonly Float32Array[]): Promise<Float32Array[]> {
  const batch = new Float32Array(windows.length * channels.length * steps);
  for (const [i, window] of windows.entries()) batch.set(window, i * channels.length * steps);
  const { embedding } = await session.run({ imu: tensor([windows.length, channels.length, steps], batch) });
  const width = embedding!.dims[1]!;
  return windows.map((_, i) => (embedding!.data as Float32Array).slice(i * width, (i + 1) * width));
}

const random = seeded(4);
const recordings: Recording[] = [];
for (const row of await readTable(join(folder, "recordings.csv"))) {
  const planes = await readRecording(join(folder, row.file!), row);
  const signals = { row, accel: norms(planes.slice(0, 3)), gyro: norms(planes.slice(3)) };
  const starts = Array.from({ length: Math.floor((planes[0]!.length - steps) / rate) + 1 }, (_, i) => i * rate);
  const cut = (from: readonly Float32Array[]): Float32Array[] =>
    starts.map((start) => {
      const window = new Float32Array(channels.length * steps);
      for (const [c, plane] of from.entries()) window.set(plane.subarray(start, start + steps), c * steps);
      return window;
    });
  const features = await featuresOf(cut(planes));
  const lesser = await featuresOf(cut(lesserSensor(planes, random)));
  recordings.push({
    subject: row.subject!,
    activity: row.activity!,
    fall: row.kind === "fall",
    windows: starts.map((start, i) => ({
      concept: conceptAt(start, signals),
      features: features[i]!,
      lesser: lesser[i]!,
    })),
  });
}
const resting = await featuresOf(Array.from({ length: 200 }, () => atRest(random)));

const examplesOf = (list: readonly Recording[]): Example[] => [
  ...list.flatMap(({ windows }) =>
    windows.flatMap(({ features, lesser, concept }) =>
      concept ? [features, lesser].map((features) => ({ features, concept: names.indexOf(concept), weight: 1 })) : [],
    ),
  ),
  ...resting.map((features) => ({ features, concept: names.indexOf("still"), weight: 1 })),
];

const text = await textVectors(options.text);
const phrases = new Map<ImuConcept, readonly UnitVector[]>();
for (const name of names) phrases.set(name, await text(imuConcepts[name]));
const means = names.map((name) => meanOf(phrases.get(name)!));
const vectors = apart(
  targets(phrases, meanOf(await text(dailyWords))),
  means.map((mean, i) => [mean, phrases.get(names[i]!)![0]!]),
  { cap: settings.cap, together: (a, b) => together.has(`${names[a]} ${names[b]}`) },
);

const judged = [...new Set(recordings.map(({ subject }) => subject))].flatMap((subject) => {
  const head = fitConceptHead(examplesOf(recordings.filter((one) => one.subject !== subject)), {
    ...settings,
    vectors,
  });
  return recordings
    .filter((one) => one.subject === subject)
    .map((recording) => ({
      recording,
      vectors: recording.windows.map(({ features }) => applyConceptHead(head, features)),
      lesser: recording.windows.map(({ lesser }) => applyConceptHead(head, lesser)),
    }));
});

/** Falls against everything else: right if the first word wins for a fall and another one otherwise. */
async function fallsByWords(words: readonly string[], sensor: "vectors" | "lesser" = "vectors"): Promise<string> {
  const encoded = await text(words);
  const found = judged.map(({ recording, ...seen }) => {
    const vector = ofFile({ vectors: seen[sensor], label: 0 });
    const cosines = encoded.map((word) => cosine(word, vector));
    return { recording, fall: cosines.indexOf(Math.max(...cosines)) === 0 };
  });
  const share = (list: typeof found): number =>
    list.filter(({ recording, fall }) => recording.fall === fall).length / list.length;
  const recall = share(found.filter(({ recording }) => recording.fall));
  const quiet = share(found.filter(({ recording }) => !recording.fall));
  return `accuracy ${percent(share(found))}, balanced ${percent((recall + quiet) / 2)}, falls found ${percent(recall)}, daily life left alone ${percent(quiet)}`;
}

const seven: readonly ImuConcept[] = ["fall", "walk", "jog", "sit", "still", "stairs", "jump"];
const sevenWords = seven.map((name) => imuConcepts[name][0]);
for (const words of [
  sevenWords,
  ["a person has fallen", "a person is walking"],
  ["a person falling down", "a person doing daily activities"],
  ["fall", "daily life"],
  ["falling", "walking", "running", "sitting", "standing", "jumping"],
])
  console.log(`falls by words, unseen subjects, whole files [${words.join(" | ")}]: ${await fallsByWords(words)}`);

console.log(`the same by a cheaper sensor, mounted another way: ${await fallsByWords(sevenWords, "lesser")}`);

const sevenVectors = await text(sevenWords);
const perLabel = (found: Accuracy): string =>
  seven
    .flatMap((name, i) => (Number.isNaN(found.perLabel[i]) ? [] : [`${name} ${percent(found.perLabel[i]!)}`]))
    .join(", ");
const labelled = judged.flatMap(({ recording, vectors }): Judged[] => {
  const label = seven.indexOf(recording.fall ? "fall" : activityConcepts[recording.activity]!);
  return label < 0 ? [] : [{ vectors, label }];
});
const activities = zeroShot(labelled, sevenVectors);
console.log(
  `seven words, ${activities.files} files of unseen subjects: ${percent(activities.accuracy)}, balanced ${percent(activities.balanced)}`,
);
console.log(`  ${perLabel(activities)}`);

const windowsOf = judged.flatMap(({ recording, vectors }) =>
  vectors.flatMap((vector, i): Judged[] => {
    const concept = recording.windows[i]!.concept;
    return concept && seven.includes(concept) ? [{ vectors: [vector], label: seven.indexOf(concept) }] : [];
  }),
);
const single = zeroShot(windowsOf, sevenVectors);
console.log(
  `seven words, ${single.files} single windows: ${percent(single.accuracy)}, balanced ${percent(single.balanced)}`,
);
console.log(`  ${perLabel(single)}`);

const logitScale = bestLogitScale(windowsOf, sevenVectors);
const objects = JSON.parse(await readFile(join(options.data, "teachers/imagenet_labels1000.json"), "utf8")) as string[];
const unrelated = await text(objects.filter((_, i) => i % 5 === 0));
const background = backgroundOf(
  judged.flatMap(({ vectors }) => vectors.filter((_, i) => i % 4 === 0)),
  unrelated,
);
console.log(
  `logit scale ${logitScale}, background ${background.mean.toFixed(3)} +- ${background.deviation.toFixed(3)} over ${unrelated.length} words`,
);

const asked = { floor: background.mean + 2 * background.deviation, rivals: await text(backgroundWords.imu) };
const alone = askedAlone(windowsOf, sevenVectors, asked);
console.log(
  `each word asked for alone, windows: recognised ${percent(alone.recall)}, falsely ${percent(alone.falseRate)}`,
);

await build(fitConceptHead(examplesOf(recordings), { ...settings, vectors }), join(options.out, "imu.onnx"));
const tower = {
  graphs: ["imu.onnx"],
  preprocess: {
    kind: "series",
    input: "imu",
    rate,
    steps,
    channels,
    units: ["m/s²", "m/s²", "m/s²", "rad/s", "rad/s", "rad/s"],
    short: "repeat",
  },
  window: { length: "8s", hop: "1s" },
  logitScale,
  background: { mean: Number(background.mean.toFixed(4)), deviation: Number(background.deviation.toFixed(4)) },
};
await writeFile("models/build/towers/imu.json", `${JSON.stringify(tower, null, 2)}\n`);
