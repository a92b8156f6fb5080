import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { depthRecipe, thermalRecipe } from "../../models/build/pictures.js";
import { augmentationOf } from "../../src/align/augment/by-recipe.js";
import { type BindOptions, type Bound, bindSensor } from "../../src/align/bind.js";
import { type Plan, planOf, trainingOf } from "../../src/align/net/plan.js";
import type { Pair, Split } from "../../src/align/pairs/pair.js";
import { chanceOf, dot, recallOf } from "../../src/align/train/recall.js";
import { lendCamera, type MapModality } from "../../src/cli/calibrate/lent.js";
import type { UnitVector } from "../../src/core/embedding.js";
import type { DepthRecipe, Recipe, SeriesRecipe, ThermalRecipe } from "../../src/core/recipe.js";
import { openBundle } from "../../src/encoder/bundle.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { depthPairs, thermalPairs } from "./align-data.js";
import { imuPairs } from "./align-motion.js";

/*
 * Binds encoders from nothing, and the camera's own encoder lent to another sensor, to nano's space with the public data, and tells
 * what they do on what was held out:
 *   npx tsx test/bench/align.ts <folder of the packs> [thermal] [depth] [imu] [lent-thermal] [lent-depth]
 */

const [data = "../shared/data", ...asked] = process.argv.slice(2);
await using engine = await workerRuntime({ workers: 1, threads: 1 });
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

/** What is usual for an encoder from nothing. */
const planFor = (recipe: Recipe, { sensor, anchor }: Pair): Plan =>
  planOf(trainingOf("encoder", recipe), { dims: sensor.dims.slice(1), dim: anchor.length });

async function bind(split: Split, options: BindOptions): Promise<Bound & { seconds: number }> {
  const folder = await mkdtemp(join(tmpdir(), "sensebind-align-"));
  const began = performance.now();
  const bound = await bindSensor(split, options, { engine, folder, now: () => performance.now() });
  return { ...bound, seconds: (performance.now() - began) / 1e3 };
}

async function pictures(name: string, split: Split): Promise<void> {
  const recipe = name === "depth" ? depthRecipe : thermalRecipe;
  const { architecture, lr, decay } = planFor(recipe, split.train[0]!);
  const given = { architecture, optimizer: { lr, decay }, augment: augmentationOf(recipe) };
  const { recall, seconds } = await bind(split, given);
  const guess = chanceOf(split.heldOut.map(({ scene }) => scene));
  console.log(
    `${name}: ${split.train.length} views of pairs to learn from, ${split.heldOut.length} held out; recall@1 ${percent(recall.at1)}, ` +
      `recall@5 ${percent(recall.at5)} (guessing ${percent(guess.at1)}, ${percent(guess.at5)}); ${seconds.toFixed(0)} s`,
  );
}

/** The camera's encoder as it is, and with its vectors scaled and moved; what a window of it costs, and one of the encoder from nothing. */
async function lent(name: MapModality, read: typeof thermalPairs): Promise<void> {
  await using nano = await openBundle("models/nano", engine);
  await using bundle = await lendCamera(nano, name, engine);
  const recipe = bundle.tower(name).preprocess as ThermalRecipe | DepthRecipe;
  const maps = await read(data, { recipe });
  const began = process.cpuUsage();
  const encoded = async (pairs: readonly Pair[]): Promise<Pair[]> => {
    const found: Pair[] = [];
    for (const pair of pairs) {
      const { vector } = await bundle.encode(name, { [recipe.input]: pair.sensor });
      found.push({ ...pair, sensor: { dims: [1, vector.length], data: vector } });
    }
    return found;
  };
  const split = { train: await encoded(maps.train), heldOut: await encoded(maps.heldOut) };
  const { user, system } = process.cpuUsage(began);
  const cost = (user + system) / 1e3 / (split.train.length + split.heldOut.length);
  const scenes = split.heldOut.map(({ scene }) => scene);
  const anchors = split.heldOut.map(({ anchor }) => anchor);
  const still = recallOf(
    split.heldOut.map(({ sensor }) => sensor.data as UnitVector),
    anchors,
    scenes,
  );
  const { architecture, lr, decay } = planOf({ camera: {} }, { dims: [anchors[0]!.length], dim: anchors[0]!.length });
  const guess = chanceOf(scenes);
  for (const seed of [1, 2, 3]) {
    const { recall, seconds } = await bind(split, { architecture, optimizer: { lr, decay }, seed });
    console.log(
      `${name} through the camera's encoder: ${split.train.length} pairs to learn from, ${scenes.length} held out; ` +
        `untrained recall@1 ${percent(still.at1)}, @5 ${percent(still.at5)}, scaled and moved (seed ${seed}) ${percent(recall.at1)}, ` +
        `${percent(recall.at5)} (guessing ${percent(guess.at1)}, ${percent(guess.at5)}); ${seconds.toFixed(0)} s; ` +
        `${cost.toFixed(1)} ms CPU a window`,
    );
  }
}

/** Each channel at mean 0 and deviation 1 of the windows to learn from. */
function standardized<P extends Pair>(pairs: readonly P[], of: readonly Pair[], steps: number): P[] {
  const channels = of[0]!.sensor.data.length / steps;
  const planes = Array.from({ length: channels }, (_, c) =>
    of.flatMap(({ sensor }) => [...sensor.data.subarray(c * steps, (c + 1) * steps)].filter((_, t) => t % 8 === 0)),
  );
  const mean = planes.map((plane) => plane.reduce((a, b) => a + b, 0) / plane.length);
  const deviation = planes.map((plane, c) =>
    Math.sqrt(plane.reduce((a, b) => a + (b - mean[c]!) ** 2, 0) / plane.length),
  );
  return pairs.map((pair) => {
    const scaled = pair.sensor.data.map((value, i) => {
      const c = Math.floor(i / steps);
      return (value - mean[c]!) / deviation[c]!;
    });
    return { ...pair, sensor: { ...pair.sensor, data: scaled } };
  });
}

async function motion(): Promise<void> {
  const found = await imuPairs(data);
  const [, channels, steps] = found.train[0]!.sensor.dims as [number, number, number];
  const recipe: SeriesRecipe = {
    ...{ kind: "series", input: "input", rate: 50, steps, short: "pad" },
    channels: ["ax", "ay", "az", "gx", "gy", "gz"].slice(0, channels),
  };
  const plan = planFor(recipe, found.train[0]!);
  const train = standardized(found.train, found.train, steps);
  const heldOut = standardized(found.heldOut, found.train, steps);
  const options = {
    architecture: plan.architecture,
    optimizer: { lr: plan.lr, decay: plan.decay },
    pull: 10,
    steps: 1000,
    same: 2,
  };
  const { vectors, seconds } = await bind(
    { train, heldOut },
    { ...options, augment: augmentationOf(recipe), patience: 25 },
  );
  const judged = found.heldOut.flatMap(({ label }, i) => (label < 0 ? [] : [{ label, vector: vectors[i]! }]));
  const right = judged.filter(({ label, vector }) => {
    const scores = found.activities.map((activity) => dot(vector, activity.vector));
    return scores.indexOf(Math.max(...scores)) === label;
  });
  console.log(
    `imu: ${train.length} windows with sentences to learn from; 7 activities of an unseen subject by words: ` +
      `${percent(right.length / judged.length)} of ${judged.length} windows (guessing 14.3 %); ${seconds.toFixed(0)} s`,
  );
}

const isAsked = (name: string): boolean => asked.length === 0 || asked.includes(name);
if (isAsked("thermal")) await pictures("thermal", await thermalPairs(data, { size: 112, views: 6 }));
if (isAsked("depth")) await pictures("depth", await depthPairs(data, { size: 112 }));
if (isAsked("imu")) await motion();
if (isAsked("lent-thermal")) await lent("thermal", thermalPairs);
if (isAsked("lent-depth")) await lent("depth", depthPairs);
