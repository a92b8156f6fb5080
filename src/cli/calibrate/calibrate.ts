import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { augmentationOf } from "../../align/augment/by-recipe.js";
import { type BindProgress, bindSensor, checkFloor } from "../../align/bind.js";
import { isHeadAlone } from "../../align/net/architecture-of.js";
import type { Parameter } from "../../align/net/net.js";
import { type Asked, type Plan, planOf, trainingOf } from "../../align/net/plan.js";
import { type Collected, type CollectOptions, collectPairs } from "../../align/pairs/collect.js";
import type { Pair, Sensed } from "../../align/pairs/pair.js";
import { checkpointFile } from "../../align/train/checkpoint.js";
import type { Recall } from "../../align/train/recall.js";
import type { UnitVector } from "../../core/embedding.js";
import type { Modality } from "../../core/modality.js";
import type { Recipe } from "../../core/recipe.js";
import type { Duration } from "../../core/time.js";
import type { Training } from "../../core/training.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Runtime } from "../../encoder/runtime.js";
import { loadModel } from "../../onnx/file.js";
import { recallBefore } from "./before.js";
import { encoderKey } from "./content-id.js";
import { type Gathered, standardized } from "./gathered.js";
import { withinMemory } from "./memory.js";

export interface CalibrateOptions {
  readonly sensor: string;
  readonly camera: string;
  /** What is learned: by word, or in full. */
  readonly target: Asked;
  readonly collect: CollectOptions;
  readonly seed: number;
  readonly steps?: number | undefined;
  /** Learning takes no longer than this. */
  readonly time?: Duration;
  /** What pairs and learning may take beside the bundle, in bytes. */
  readonly memory?: number;
  readonly signal: AbortSignal;
  /** Called with what was left out to keep to the memory. */
  readonly onReduced?: (text: string) => void;
  readonly onProgress?: (progress: BindProgress) => void;
  readonly onPairs?: (pairs: Collected) => void;
}

export interface CalibrateParts {
  readonly bundle: Bundle;
  /** The bundle with the encoder that the sensor has now, where `bundle` has another. */
  readonly had?: Bundle;
  readonly runtime: Runtime;
  /** Folder for graphs and the checkpoint; it is removed when all went well. */
  readonly work: string;
  readonly now: () => number;
  readonly breathe?: () => Promise<void>;
}

/** A sensor that was bound, before it is written anywhere. */
export interface Calibrated {
  readonly modality: Exclude<Modality, "text">;
  readonly plan: Plan;
  readonly recipe: Recipe;
  readonly window: { readonly length: Duration; readonly hop: Duration };
  /** Shape of one input of what was trained, without the batch. */
  readonly dims: readonly number[];
  readonly parameters: readonly Parameter[];
  readonly pairs: Collected;
  /** Whether the pairs' times are those of clocks. */
  readonly timed: boolean;
  readonly looks: Awaited<ReturnType<typeof bindSensor>>["looks"];
  readonly step: number;
  /** Vectors of the held-out windows, as the sensor gives them now. */
  readonly vectors: readonly UnitVector[];
  readonly before: Recall | undefined;
  readonly after: Recall;
  /** What was left out or made smaller to keep to the memory. */
  readonly reduced: readonly string[];
  readonly seconds: number;
}

/**
 * From what was gathered to a head or encoder that holds on held-out time. Throws `BAD_PAIRS`, `CLOCKS_APART`,
 * `TOO_LITTLE_VARIETY`, and `NOT_BETTER` for one that does not.
 */
export async function calibrate(
  gathered: Gathered,
  options: CalibrateOptions,
  parts: CalibrateParts,
): Promise<Calibrated> {
  const { bundle, now } = parts;
  const { sensor, camera, seed, signal } = options;
  const began = now();
  const training = trainingOf(options.target, gathered.recipe);
  const { windows, recipe } = prepared(gathered, training);
  const streams = { sensor, camera, windows, anchors: gathered.anchors };
  const answers = gathered.modality === "other" || !gathered.timed ? {} : ({ answers: "at once" } as const);
  // Words are few by nature: a dozen sentences may describe all that a sensor can tell.
  const fewest = gathered.words ? { scenes: 5 } : {};
  const collected = collectPairs(streams, { ...answers, ...fewest, ...options.collect, seed });
  const { memory = Number.POSITIVE_INFINITY } = options;
  const reduced: string[] = [];
  const onReduced = (text: string): void => {
    reduced.push(text);
    options.onReduced?.(text);
  };
  const { every = 1 } = gathered;
  if (every > 1) onReduced(`of the recording, one minute in ${every} is used`);
  const fit = withinMemory(collected, { ...gathered, windows }, memory);
  const all = collected.train.length + collected.heldOut.length;
  const used = fit.pairs.train.length + fit.pairs.heldOut.length;
  if (used < all) onReduced(`${used} of ${all} pairs are used, evenly over the time`);
  const pairs = await withInputs(fit.pairs, { ...gathered, windows });
  options.onPairs?.(pairs);
  const dims = pairs.train[0]!.sensor.dims.slice(1);
  const plan = await planned(training, { bundle, dims, modality: gathered.modality });
  const { batch, queue, loss, pull, same, steps } = plan.training;
  const { pull: usualPull, same: usualSame } = gathered.words ? towardsWords : plan;
  const numbers = fit.pairs.heldOut.map(({ sensor: input }) => windows.findIndex((window) => window.input === input));
  const { had = bundle } = parts;
  const before = await recallBefore(pairs.heldOut, { ...gathered, recipe, had, numbers, signal });
  await mkdir(parts.work, { recursive: true });
  const checkpoint = checkpointFile(
    join(parts.work, "checkpoint"),
    keyOf(pairs, plan, { ...options, bundle, modality: gathered.modality }),
  );
  const bound = await bindSensor(
    pairs,
    {
      architecture: plan.architecture,
      optimizer: { lr: plan.lr, decay: plan.decay },
      ...(options.time !== undefined && { time: options.time }),
      ...given({ batch, queue, loss, pull: pull ?? usualPull, same: same ?? usualSame, steps: options.steps ?? steps }),
      augment: isHeadAlone(training) ? undefined : augmentationOf(recipe),
      seed,
      signal,
      ...(Number.isFinite(memory) && {
        memory: fit.left,
        onSizes: ({ batch, accumulate }) => {
          if (accumulate > 1) onReduced(`batches are of ${batch} pairs, of which ${accumulate} make a step`);
        },
      }),
      ...(options.onProgress && { onProgress: options.onProgress }),
    },
    { engine: parts.runtime, folder: parts.work, now, checkpoint, ...(parts.breathe && { breathe: parts.breathe }) },
  );
  checkFloor(
    bound.recall,
    before,
    pairs.heldOut.map(({ scene }) => scene),
  );
  return {
    modality: gathered.modality,
    plan,
    recipe,
    window: gathered.window,
    dims,
    parameters: bound.parameters,
    pairs,
    timed: gathered.timed,
    looks: bound.looks,
    step: bound.step,
    vectors: bound.vectors,
    before,
    after: bound.recall,
    reduced,
    seconds: (now() - began) / 1e3,
  };
}

/** Sentences repeat and lie close together: the pull does most, and no two of them count as one scene. */
const towardsWords = { pull: 10, same: 2 };

export interface Surroundings {
  readonly bundle: Bundle;
  readonly modality: Modality;
  readonly dims: readonly number[];
}

/** The network that a training makes of what the bundle has. Throws `BAD_ARGUMENT`, `BAD_MODEL` where it does not fit. */
export async function planned(training: Training, { bundle, modality, dims }: Surroundings): Promise<Plan> {
  const { dim } = bundle.manifest;
  const frozen = training.lora === undefined ? [] : bundle.tower(modality).graphs;
  const graphs = await Promise.all(frozen.map((graph) => loadModel(join(bundle.dir, graph))));
  return planOf(training, { dims, dim, graphs });
}

/** Without what is not said. */
const given = <T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;

/** Removes what a calibration left behind to go on from. */
export const forget = (work: string): Promise<void> => rm(work, { recursive: true, force: true });

/** Windows as the network takes them, or sketches of such. */
function prepared(
  { recipe, windows, encoded, whole }: Gathered,
  { lora }: Training,
): Pick<Gathered, "recipe" | "windows"> {
  const isScaled = encoded || whole !== undefined || recipe.kind !== "series" || lora !== undefined;
  return isScaled ? { windows, recipe } : standardized(windows, recipe);
}

/** Puts the inputs themselves in place of their sketches. */
async function withInputs(pairs: Collected, { windows, whole }: Gathered): Promise<Collected> {
  if (whole === undefined) return pairs;
  const numberOf = new Map(windows.map(({ input }, number) => [input, number]));
  const numbers = new Set([...pairs.train, ...pairs.heldOut].map(({ sensor }) => numberOf.get(sensor)!));
  const inputs = new Map<number, Sensed["input"]>();
  for await (const { number, input } of whole.of(numbers)) inputs.set(number, input);
  const filled = (side: readonly Pair[]): Pair[] =>
    side.map((pair) => ({ ...pair, sensor: inputs.get(numberOf.get(pair.sensor)!)! }));
  return { ...pairs, train: filled(pairs.train), heldOut: filled(pairs.heldOut) };
}

/** Of what is learned and how: a checkpoint of something else is not used. */
function keyOf(
  { train, heldOut }: Collected,
  { training }: Plan,
  {
    seed,
    steps,
    bundle,
    modality,
  }: Pick<CalibrateOptions, "seed" | "steps"> & Pick<Surroundings, "bundle" | "modality">,
): string {
  const hash = createHash("sha256").update(JSON.stringify({ training, seed, steps, held: heldOut.length }));
  // Low-rank updates are of the encoder's own matrices.
  if (bundle.manifest.towers[modality] !== undefined) hash.update(encoderKey(bundle, modality));
  for (const { time, sensor, anchor } of train) {
    hash.update(`${time} `);
    hash.update(bytes(sensor.data));
    hash.update(bytes(anchor));
  }
  return hash.digest("hex");
}

const bytes = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
