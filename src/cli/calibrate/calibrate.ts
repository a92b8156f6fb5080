import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { augmentationOf } from "../../align/augment/by-recipe.js";
import { type BindProgress, bindSensor, checkFloor } from "../../align/bind.js";
import type { Parameter } from "../../align/net/net.js";
import { encoderPlan, headPlan, loraPlan, type Plan, type Target } from "../../align/net/plan.js";
import { type Collected, type CollectOptions, collectPairs } from "../../align/pairs/collect.js";
import type { Sensed } from "../../align/pairs/pair.js";
import { checkpointFile } from "../../align/train/checkpoint.js";
import { type Recall, recallOf } from "../../align/train/recall.js";
import type { UnitVector } from "../../core/embedding.js";
import type { Modality } from "../../core/modality.js";
import type { Recipe } from "../../core/recipe.js";
import type { Duration } from "../../core/time.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Runtime } from "../../encoder/runtime.js";
import { loadModel } from "../../onnx/file.js";
import { type Gathered, standardized } from "./gathered.js";

export interface CalibrateOptions {
  readonly sensor: string;
  readonly camera: string;
  readonly target: Target;
  readonly collect: CollectOptions;
  readonly seed: number;
  readonly steps?: number | undefined;
  /** Learning takes no longer than this. */
  readonly time?: Duration;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: BindProgress) => void;
  readonly onPairs?: (pairs: Collected) => void;
}

export interface CalibrateParts {
  readonly bundle: Bundle;
  readonly runtime: Runtime;
  /** Folder for graphs and the checkpoint; it is removed when all went well. */
  readonly work: string;
  readonly now: () => number;
  readonly breathe?: () => Promise<void>;
}

/** A sensor that was bound, before it is written anywhere. */
export interface Calibrated {
  readonly modality: Exclude<Modality, "text">;
  readonly target: Target;
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
  const { target, sensor, camera, seed, signal } = options;
  const began = now();
  const { windows, recipe } = await prepared(gathered, target, parts, signal);
  const streams = { sensor, camera, windows, anchors: gathered.anchors };
  const answers = gathered.modality === "other" || !gathered.timed ? {} : ({ answers: "at once" } as const);
  // Words are few by nature: a dozen sentences may describe all that a sensor can tell.
  const fewest = gathered.words ? { scenes: 5 } : {};
  const pairs = collectPairs(streams, { ...answers, ...fewest, ...options.collect, seed });
  options.onPairs?.(pairs);
  const dims = windows[0]!.input.dims.slice(1);
  const planned = await planOf(target, { bundle, modality: gathered.modality, recipe });
  const plan = gathered.words ? { ...planned, ...towardsWords } : planned;
  const before = await recallBefore(gathered, pairs, target, parts, signal);
  await mkdir(parts.work, { recursive: true });
  const checkpoint = checkpointFile(join(parts.work, "checkpoint"), keyOf(pairs, plan, options));
  const bound = await bindSensor(
    pairs,
    {
      architecture: plan.architecture,
      optimizer: { lr: plan.lr, decay: plan.decay },
      ...(options.time !== undefined && { time: options.time }),
      ...(plan.pull !== undefined && { pull: plan.pull }),
      ...(plan.same !== undefined && { same: plan.same }),
      augment: target === "head" ? undefined : augmentationOf(recipe),
      seed,
      signal,
      ...(options.steps !== undefined && { steps: options.steps }),
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
    target,
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
    seconds: (now() - began) / 1e3,
  };
}

/** Sentences repeat and lie close together: the pull does most, and no two of them count as one scene. */
const towardsWords = { pull: 10, same: 2 };

interface Planned {
  readonly bundle: Bundle;
  readonly modality: Modality;
  readonly recipe: Recipe;
}

async function planOf(target: Target, { bundle, modality, recipe }: Planned): Promise<Plan> {
  const { dim } = bundle.manifest;
  if (target === "head") return headPlan(dim);
  if (target === "encoder") return encoderPlan(recipe, dim);
  const { graphs } = bundle.tower(modality);
  return loraPlan(await Promise.all(graphs.map((graph) => loadModel(join(bundle.dir, graph)))));
}

/** Removes what a calibration left behind to go on from. */
export const forget = (work: string): Promise<void> => rm(work, { recursive: true, force: true });

/** What the network takes: the frozen encoder's vectors for a head, the inputs themselves for an encoder. */
async function prepared(
  gathered: Gathered,
  target: Target,
  { bundle }: CalibrateParts,
  signal: AbortSignal,
): Promise<{ windows: readonly Sensed[]; recipe: Recipe }> {
  const { modality, recipe, windows } = gathered;
  if (gathered.encoded) return { windows, recipe };
  if (target === "head") {
    const vectors = await encoded(bundle, { modality, recipe, windows }, signal);
    return {
      recipe,
      windows: windows.map(({ time }, i) => ({ time, input: { dims: [1, vectors[i]!.length], data: vectors[i]! } })),
    };
  }
  if (recipe.kind !== "series" || target === "lora") return { windows, recipe };
  return standardized(windows, recipe);
}

/** Vectors of the encoder that is there; a window with NaN has a vector of NaN, which the gate then names. */
async function encoded(
  bundle: Bundle,
  { modality, recipe, windows }: Pick<Gathered, "modality" | "recipe"> & { readonly windows: readonly Sensed[] },
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  const found: Float32Array[] = [];
  for (const { input } of windows) {
    if (input.data.some(Number.isNaN)) {
      found.push(new Float32Array(bundle.manifest.dim).fill(Number.NaN));
      continue;
    }
    const feeds = { [inputOf(recipe)]: { dims: input.dims, data: input.data.slice() } };
    found.push((await bundle.encode(modality, feeds, signal)).vector);
  }
  return found;
}

/** Name of the tensor that a recipe makes. */
export const inputOf = (recipe: Recipe): string => (recipe.kind === "text" ? recipe.ids : recipe.input);

/** Recall on the held-out pairs of the encoder that the sensor has now. */
async function recallBefore(
  gathered: Gathered,
  { heldOut }: Collected,
  target: Target,
  { bundle }: CalibrateParts,
  signal: AbortSignal,
): Promise<Recall | undefined> {
  const tower = bundle.manifest.towers[gathered.modality];
  const anchors = heldOut.map(({ anchor }) => anchor);
  const scenes = heldOut.map(({ scene }) => scene);
  if (target === "head") {
    const vectors = heldOut.map(({ sensor }) => sensor.data as UnitVector);
    return recallOf(vectors, anchors, scenes);
  }
  const isSame = tower !== undefined && JSON.stringify(tower.preprocess) === JSON.stringify(gathered.recipe);
  if (!isSame) return undefined;
  const times = new Map(gathered.windows.map((sensed) => [sensed.time, sensed]));
  const windows = heldOut.map(({ time }) => times.get(time)!);
  const vectors = await encoded(bundle, { ...gathered, windows }, signal);
  return recallOf(vectors as UnitVector[], anchors, scenes);
}

/** Of what is learned and how: a checkpoint of something else is not used. */
function keyOf({ train, heldOut }: Collected, { text }: Plan, { seed, steps }: CalibrateOptions): string {
  const hash = createHash("sha256").update(JSON.stringify({ text, seed, steps, held: heldOut.length }));
  for (const { time, sensor, anchor } of train) {
    hash.update(`${time} `);
    hash.update(bytes(sensor.data));
    hash.update(bytes(anchor));
  }
  return hash.digest("hex");
}

const bytes = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
