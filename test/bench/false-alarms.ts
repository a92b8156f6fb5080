/*
 * A simulated week of one microphone and one camera: how often do concepts fire falsely that were given a bearable rate, and how
 * many planted events do they find, beside a fixed threshold chosen with hindsight and a running z-score.
 *   npx tsx test/bench/false-alarms.ts --data <folder with audio/ and photos/> [--days 7] [--seed 1]
 * Background windows are mixtures of recorded ones, disturbed, so that no two are alike; day and night have other sources.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "csv-parse/sync";
import { type Embedding, normalize, type UnitVector } from "../../src/core/embedding.js";
import { gaussian, seeded } from "../../src/core/random.js";
import type { Micros } from "../../src/core/time.js";
import { s } from "../../src/core/time.js";
import { readAudio } from "../../src/device/decode/audio.js";
import { readImage, toRgb } from "../../src/device/decode/sharp.js";
import { type Bundle, openBundle } from "../../src/encoder/bundle.js";
import { sliceRows } from "../../src/encoder/rows.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { backgroundWords } from "../../src/space/background-words.js";
import { encodeConcepts } from "../../src/space/concept.js";
import { blank, recognise, type SensorConcepts, type SensorMemory } from "../../src/space/recognise.js";
import { ConceptText } from "../../src/space/schema.js";
import { scoreAll } from "../../src/space/score.js";
import { fileClips } from "../../src/window/preprocess.js";

const { values } = parseArgs({
  options: { data: { type: "string" }, days: { type: "string", default: "7" }, seed: { type: "string", default: "1" } },
});
if (values.data === undefined) throw new Error("give --data");
const data = values.data;
const days = Number(values.days);
const random = seeded(Number(values.seed));
const seconds = days * 86_400;
const rates = [0.2, 1, 10] as const;

/** A sensor's sources: what it perceives by day and by night, and clips of what is planted, a vector a second. */
interface Sources {
  readonly asked: (falseAlarms: number | undefined) => SensorConcepts;
  readonly day: readonly UnitVector[];
  readonly night: readonly UnitVector[];
  readonly planted: Readonly<Record<string, readonly (readonly UnitVector[])[]>>;
}

const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const rows = (path: string): Record<string, string>[] => parse(readFileSync(path, "utf8"), { columns: true });

async function clip(bundle: Bundle, path: string): Promise<UnitVector[]> {
  const { rate, channels, data: samples } = await readAudio(path);
  const names = Array.from({ length: channels }, (_, i) => `c${i}`);
  const block = {
    kind: "block",
    modality: "audio",
    time: 0 as Micros,
    channels: names,
    rate: rate as never,
    data: samples,
  } as const;
  const inputs = fileClips(bundle.tower("audio").preprocess, block, { hop: s(1) });
  const [name, { dims }] = Object.entries(inputs)[0]!;
  const items = Array.from({ length: dims[0]! }, (_, i) => sliceRows({ [name]: inputs[name]! }, i, i + 1));
  return (await bundle.encodeAll("audio", items)).map(({ vector }) => vector);
}

async function photo(bundle: Bundle, path: string): Promise<UnitVector> {
  const picture = await readImage(path);
  const { width, height } = picture;
  const frame = {
    kind: "frame",
    modality: "vision",
    time: 0 as Micros,
    format: "rgb8",
    width,
    height,
    data: toRgb(picture),
  } as const;
  return (await bundle.encode("vision", fileClips(bundle.tower("vision").preprocess, frame))).vector;
}

type Words = Readonly<Record<string, string>>;

async function askedOf(bundle: Bundle, sensor: string, modality: "audio" | "vision", words: Words) {
  const variants = new Map<number | undefined, SensorConcepts>();
  for (const rate of [undefined, ...rates]) {
    const entries = Object.entries(words).map(([id, texts]) => {
      const settings = { texts, minOff: "3s", ...(rate === undefined ? {} : { falseAlarms: `${rate}/day` }) };
      return [id, ConceptText.parse(settings)] as const;
    });
    const concepts = await encodeConcepts(entries, bundle, { modality, background: backgroundWords[modality] });
    variants.set(rate, { sensor, modality, space: bundle.space, concepts, scale: bundle.tower(modality) });
  }
  return (rate: number | undefined) => variants.get(rate)!;
}

async function microphone(bundle: Bundle): Promise<Sources> {
  const clips = new Map<string, UnitVector[][]>();
  for (const { file, label } of rows(join(data, "audio/animals.csv"))) {
    clips.set(label!, [...(clips.get(label!) ?? []), await clip(bundle, join(data, "audio", file!))]);
  }
  const speech: UnitVector[] = [];
  for (const { file } of rows(join(data, "audio/digits.csv")))
    speech.push(...(await clip(bundle, join(data, "audio", file!))));
  const of = (...labels: string[]) => labels.flatMap((label) => clips.get(label)!.flat());
  const words = { dog: "a dog barking", cat: "a cat meowing", cow: "a cow mooing" };
  return {
    asked: await askedOf(bundle, "mic", "audio", words),
    day: [...speech, ...of("bird", "chicken", "sheep")],
    night: [...of("frog", "monkey"), ...speech.slice(0, 40)],
    planted: Object.fromEntries(Object.keys(words).map((label) => [label, clips.get(label)!])),
  };
}

async function camera(bundle: Bundle): Promise<Sources> {
  const words = { bird: "a bird", car: "a car" };
  const by = new Map<string, UnitVector[]>();
  for (const { file, coarse } of rows(join(data, "photos/photos.csv"))) {
    by.set(coarse!, [...(by.get(coarse!) ?? []), await photo(bundle, join(data, "photos", file!))]);
  }
  const rest = [...by].filter(([coarse]) => !(coarse in words)).flatMap(([, vectors]) => vectors);
  const planted = (label: string) => by.get(label)!.map((vector) => Array.from({ length: 5 }, () => vector));
  return {
    asked: await askedOf(bundle, "camera", "vision", words),
    day: rest.filter((_, i) => i % 3 !== 0),
    night: rest.filter((_, i) => i % 3 === 0),
    planted: { bird: planted("bird"), car: planted("car") },
  };
}

interface Planted {
  readonly concept: string;
  readonly from: number;
  readonly to: number;
}

/** A stream of vectors, one a second, and what is planted in it. */
function stream(
  sources: Sources,
  count: number,
): { planted: readonly Planted[]; vector: (second: number) => UnitVector } {
  const dim = sources.day[0]!.length;
  const disturbances = Array.from({ length: 2000 }, () =>
    Float32Array.from({ length: dim }, () => 0.012 * gaussian(random)),
  );
  const at = new Map<number, UnitVector>();
  const concepts = Object.keys(sources.planted);
  const planted = Array.from({ length: count }, (_, i): Planted => {
    const concept = concepts[i % concepts.length]!;
    const vectors = pick(sources.planted[concept]!);
    const from = Math.floor(random() * (seconds - 30));
    for (const [k, vector] of vectors.entries()) at.set(from + k, vector);
    return { concept, from, to: from + vectors.length };
  });
  const sum = new Float32Array(dim);
  const vector = (second: number): UnitVector => {
    const hour = (second / 3600) % 24;
    const source = hour > 6 && hour < 20 ? sources.day : sources.night;
    const [a, b, noise, share] = [pick(source), pick(source), pick(disturbances), random()];
    const event = at.get(second);
    for (let i = 0; i < dim; i++) {
      const background = share * a[i]! + (1 - share) * b[i]! + noise[i]!;
      sum[i] = event ? 0.3 * background + 0.85 * event[i]! : background;
    }
    return normalize(sum);
  };
  return { planted, vector };
}

interface Outcome {
  begins: number;
  false: number;
  readonly found: Set<number>;
}

const outcome = (): Outcome => ({ begins: 0, false: 0, found: new Set() });

/** A begin is true if its concept was planted within two seconds of it. */
function judge(result: Outcome, concept: string, second: number, planted: readonly Planted[]): void {
  result.begins++;
  const near = (event: Planted) => event.concept === concept && second >= event.from - 2 && second <= event.to + 2;
  const hit = planted.findIndex(near);
  if (hit < 0) result.false++;
  else for (const [i, event] of planted.entries()) if (near(event)) result.found.add(i);
}

/** Begins of a plain threshold with the same hysteresis in time. */
function fixed(margins: Float32Array, threshold: (second: number) => number, onBegin: (second: number) => void): void {
  let below = 0;
  let open = false;
  for (let second = 0; second < margins.length; second++) {
    if (margins[second]! >= threshold(second)) {
      if (!open) onBegin(second);
      open = true;
      below = 0;
    } else if (open && ++below > 3) open = false;
  }
}

/**
 * The best that a fixed threshold could have done: of those that keep the rate, the one that finds most. All are tried, since
 * fewer false alarms do not always come with a higher one: below everything, one event never ends.
 */
function hindsight(measured: readonly Outcome[], perDay: number): Outcome {
  const kept = measured.filter((result) => result.false / days <= perDay);
  return kept.reduce((best, result) => (result.found.size > best.found.size ? result : best), outcome());
}

/** Running mean and deviation with a half-life of a day, and as many deviations as a normal variable would need for the rate. */
function zScore(margins: Float32Array, perDay: number): (second: number) => number {
  const decay = 0.5 ** (1 / 86_400);
  const thresholds = new Float32Array(margins.length);
  let [mean, square] = [margins[0]!, margins[0]! ** 2];
  const t = Math.sqrt(-2 * Math.log(perDay / 86_400));
  const deviations =
    t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  margins.forEach((margin, second) => {
    thresholds[second] = mean + deviations * Math.sqrt(Math.max(square - mean * mean, 1e-9));
    mean = decay * mean + (1 - decay) * margin;
    square = decay * square + (1 - decay) * margin * margin;
  });
  return (second) => thresholds[second]!;
}

const sensors = await (async () => {
  await using runtime = await workerRuntime({ workers: 1, threads: 2 });
  await using bundle = await openBundle("models/nano", runtime);
  return [
    { sources: await microphone(bundle), events: 120 },
    { sources: await camera(bundle), events: 80 },
  ];
})();

const table: string[] = [];
const totals = new Map<string, { false: number; found: number }>();
const count = (method: string, rate: number, result: Outcome): void => {
  const total = totals.get(`${method} ${rate}`) ?? { false: 0, found: 0 };
  totals.set(`${method} ${rate}`, { false: total.false + result.false, found: total.found + result.found.size });
};
let concepts = 0;
let plantedEvents = 0;

for (const { sources, events } of sensors) {
  const { planted, vector } = stream(sources, events);
  plantedEvents += planted.length;
  const plain = sources.asked(undefined);
  const ids = plain.concepts.map(({ id }) => id);
  concepts += ids.length;
  const margins = new Map(ids.map((id) => [id, new Float32Array(seconds)]));
  const running = rates.map((rate) => ({
    rate,
    asked: sources.asked(rate),
    memory: blank as SensorMemory,
    results: new Map(ids.map((id) => [id, outcome()])),
  }));
  for (let second = 0; second < seconds; second++) {
    const [from, to] = [second * 1e6, (second + 1) * 1e6] as [Micros, Micros];
    const { sensor, modality, space } = plain;
    const embedding: Embedding = { sensor, modality, seq: second, from, to, space, vector: vector(second) };
    for (const score of scoreAll(plain.concepts, embedding.vector, { scale: plain.scale }))
      margins.get(score.concept.id)![second] = score.margin;
    for (const run of running) {
      const step = recognise(run.asked, run.memory, { node: "bench", embedding });
      run.memory = step.memory;
      for (const event of step.events)
        if (event.phase === "begin") judge(run.results.get(event.concept)!, event.concept, second, planted);
    }
  }
  for (const id of ids) {
    const mine = planted.filter((event) => event.concept === id).length;
    const line = margins.get(id)!;
    const measure = (threshold: (second: number) => number): Outcome => {
      const result = outcome();
      fixed(line, threshold, (second) => judge(result, id, second, planted));
      return result;
    };
    const sorted = line.slice().sort().reverse();
    // Even in the logarithm of the windows above, and every one of the first hundred.
    const ranks = new Set(Array.from({ length: 400 }, (_, i) => (i < 100 ? i : Math.floor(seconds ** (i / 400)))));
    const fixedOnes = [...ranks].map((rank) => measure(() => sorted[Math.min(rank, seconds - 1)]!));
    for (const { rate, results } of running) {
      const ours = results.get(id)!;
      const best = hindsight(fixedOnes, rate);
      const z = measure(zScore(line, rate));
      for (const [method, result] of [
        ["ours", ours],
        ["fixed", best],
        ["z", z],
      ] as const)
        count(method, rate, result);
      const cell = (result: Outcome) =>
        `${(result.false / days).toFixed(2)} / ${((100 * result.found.size) / mine).toFixed(0)} %`;
      table.push(`| ${plain.sensor}.${id} | ${rate} | ${cell(ours)} | ${cell(best)} | ${cell(z)} |`);
    }
  }
}
process.stdout.write(
  "| concept | asked a day | false alarms a day / recall | fixed threshold, hindsight | running z-score |\n| --- | --- | --- | --- | --- |\n",
);
process.stdout.write(`${table.join("\n")}\n`);
for (const rate of rates) {
  const cells = ["ours", "fixed", "z"].map((method) => {
    const { false: wrong, found } = totals.get(`${method} ${rate}`)!;
    return `${(wrong / days / concepts).toFixed(2)} / ${((100 * found) / plantedEvents).toFixed(1)} %`;
  });
  process.stdout.write(`| **all, per concept** | ${rate} | ${cells.join(" | ")} |\n`);
}
