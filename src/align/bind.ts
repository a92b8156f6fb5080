import type { UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import { seeded } from "../core/random.js";
import type { Duration } from "../core/time.js";
import type { Augment } from "./augment/augment.js";
import type { Architecture, Net, Parameter } from "./net/net.js";
import type { Pair, Split } from "./pairs/pair.js";
import { splitByTime } from "./pairs/split.js";
import { type LearnOptions, sizesFor, stepOptionsOf, stepsARun, wantedSizes } from "./step-options.js";
import { Batches } from "./train/batches.js";
import type { Checkpoint } from "./train/checkpoint.js";
import type { Engine } from "./train/engine.js";
import { Forward } from "./train/forward.js";
import type { Look, LoopState } from "./train/loop-state.js";
import { chanceOf, type Recall, recallOf } from "./train/recall.js";
import { rateOf } from "./train/schedule.js";
import { beginning } from "./train/step-graph.js";
import { Trainer } from "./train/trainer.js";

export interface BindOptions extends LearnOptions {
  readonly augment?: Augment | undefined;
  readonly seed?: number;
  /** Learning takes no longer than this; what is best by then is taken. */
  readonly time?: Duration;
  /** Looks without a better one on the validation pairs after which it stops; 8 unless given. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BindProgress) => void;
}

/** What learning needs from outside. */
export interface BindParts {
  readonly engine: Engine;
  /** Where graphs and the checkpoint lie. */
  readonly folder: string;
  /** Awaited between runs of a few steps: the place to keep to a share of the cores, or to wait while the board is hot. */
  readonly breathe?: () => Promise<void>;
  readonly checkpoint?: Checkpoint;
  /** Monotonic, in ms: what time left is told from. */
  readonly now: () => number;
}

export interface BindProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly heldOut: Recall;
  readonly lr: number;
  readonly secondsLeft: number;
}

export interface Bound {
  readonly parameters: readonly Parameter[];
  readonly looks: readonly Look[];
  /** Step whose weights were taken. */
  readonly step: number;
  /** Of the held-out windows. */
  readonly vectors: readonly UnitVector[];
  /** On the held-out pairs, which nothing was chosen by. */
  readonly recall: Recall;
}

/** Looks at the held-out pairs over all steps. */
const looks = 25;

/** Pairs from which a part is kept back to tell when to stop. */
const enoughToValidate = 160;

/**
 * Learns the weights that put a sensor's windows where the camera's embeddings of the same moments lie: contrastive learning
 * with image-paired data alone (ImageBind, arXiv 2305.05665, section 3). The anchors stay as they are. The same pairs and seed
 * give the same weights on the same machine. Throws `BAD_PAIRS` for a loss that is no number.
 */
export async function bindSensor({ train, heldOut }: Split, options: BindOptions, parts: BindParts): Promise<Bound> {
  const { architecture, seed = 1, patience = 8, signal } = options;
  const { kept, judged } = validation(train, seed);
  const parameters = beginning(stepOptionsOf(kept, options, wantedSizes(kept, options)), seed);
  const towerNames = towerOf(architecture, kept[0]!, parameters);
  const own = (all: readonly Parameter[]): Parameter[] => all.filter(({ name }) => towerNames.has(name));
  const sizes = sizesFor(kept, options, { parameters, own: own(parameters) });
  const step = stepOptionsOf(kept, options, sizes);
  const { run } = sizes;
  await using trainer = await Trainer.open(parameters, step, parts);
  await using forward = await Forward.open(architecture, own(parameters), kept[0]!.sensor.dims.slice(1), {
    ...parts,
    rows: sizes.rows,
  });
  const recall = async (pairs: readonly Pair[]): Promise<Recall> =>
    recallOf(
      await forward.embed(
        own(trainer.parameters),
        pairs.map(({ sensor }) => sensor.data),
      ),
      pairs.map(({ anchor }) => anchor),
      pairs.map(({ scene }) => scene),
    );
  const total = step.schedule!.total!;
  const every = Math.max(stepsARun, Math.round(total / looks / stepsARun) * stepsARun);
  let progress: LoopState = { looks: [], best: undefined, since: 0 };
  const saved = await parts.checkpoint?.load();
  if (saved !== undefined) {
    trainer.restore(saved.training);
    progress = saved.loop;
  }
  const random = seeded(seed + 7919 * (trainer.taken + 1));
  const { batch, queue, accumulate } = sizes;
  const batches = new Batches(kept, { batch, queue, random, augment: options.augment });
  const began = { at: parts.now(), taken: trainer.taken };
  let losses: number[] = [];
  while (trainer.taken < total && progress.since < patience) {
    signal?.throwIfAborted();
    losses.push(...(await trainer.run(batches.take(run * accumulate), signal)));
    if (!Number.isFinite(losses.at(-1))) throw diverged(trainer.taken);
    await parts.breathe?.();
    const isLate = options.time !== undefined && (parts.now() - began.at) * 1e3 >= options.time;
    if (trainer.taken % every !== 0 && trainer.taken < total && !isLate) continue;
    const seen = await recall(heldOut);
    const look: Look = { step: trainer.taken, loss: losses.reduce((a, b) => a + b, 0) / losses.length, heldOut: seen };
    losses = [];
    const judge = judged === undefined ? undefined : await recall(judged);
    progress = after(progress, look, judge, own(trainer.parameters));
    await parts.checkpoint?.save({ training: trainer.state, loop: progress });
    const perStep = (parts.now() - began.at) / Math.max(1, trainer.taken - began.taken);
    options.onProgress?.({
      ...look,
      steps: total,
      lr: rateOf(trainer.taken, step.optimizer.lr, step.schedule!),
      secondsLeft: ((total - trainer.taken) * perStep) / 1e3,
    });
    if (isLate) break;
  }
  const best = progress.best!;
  const vectors = await forward.embed(
    best.parameters,
    heldOut.map(({ sensor }) => sensor.data),
  );
  return {
    parameters: best.parameters,
    looks: progress.looks,
    step: best.step,
    vectors,
    recall: recallOf(
      vectors,
      heldOut.map(({ anchor }) => anchor),
      heldOut.map(({ scene }) => scene),
    ),
  };
}

/** The newest weights are taken, unless validation pairs say that earlier ones were better. */
function after(state: LoopState, look: Look, judge: Recall | undefined, parameters: readonly Parameter[]): LoopState {
  const seen = [...state.looks, look];
  const score = judge === undefined ? seen.length : judge.at1 + judge.at5;
  const isBest = state.best === undefined || score >= state.best.score;
  const isBetter = state.best === undefined || score > state.best.score;
  return {
    looks: seen,
    best: isBest ? { step: look.step, score, parameters } : state.best,
    since: isBetter ? 0 : state.since + 1,
  };
}

/** With many pairs, some blocks of time are kept back from learning to tell when to stop; held-out pairs never are. */
function validation(
  train: readonly Pair[],
  seed: number,
): { kept: readonly Pair[]; judged: readonly Pair[] | undefined } {
  if (train.length < enoughToValidate) return { kept: train, judged: undefined };
  try {
    const inner = splitByTime(train, { share: 0.12, seed });
    return { kept: inner.train, judged: inner.heldOut };
  } catch {
    return { kept: train, judged: undefined };
  }
}

/** Names of the weights that the network itself has, without those of the loss. */
function towerOf(architecture: Architecture, { sensor }: Pair, parameters: readonly Parameter[]): ReadonlySet<string> {
  const asked = beginning(
    {
      inputs: [{ name: "x", dims: [1, ...sensor.dims.slice(1)] }],
      loss: (net: Net, { x }) => architecture(net, x!),
    },
    0,
  );
  const names = new Set(asked.map(({ name }) => name));
  return new Set(parameters.map(({ name }) => name).filter((name) => names.has(name)));
}

/**
 * Refuses a head that is no better than guessing, or than what the sensor had before, on the held-out pairs. Throws
 * `NOT_BETTER` with both figures.
 */
export function checkFloor(recall: Recall, before: Recall | undefined, scenes: readonly number[]): void {
  const heldOut = scenes.length;
  const guess = chanceOf(scenes);
  const text = (value: number): string => `${(100 * value).toFixed(1)} %`;
  // Three deviations of the number of hits that guessing would have.
  const floor = guess.at5 + 3 * Math.sqrt((guess.at5 * (1 - guess.at5)) / heldOut);
  if (recall.at5 < Math.min(floor, 1)) {
    throw new SenseError(
      "NOT_BETTER",
      `recall at 5 on ${heldOut} held-out pairs is ${text(recall.at5)}, guessing gives ${text(guess.at5)}: nothing was installed`,
      { hint: "Let both sensors run for longer, see that they look at the same place, and that their clocks agree." },
    );
  }
  if (before === undefined || recall.at1 + recall.at5 > before.at1 + before.at5) return;
  throw new SenseError(
    "NOT_BETTER",
    `recall at 1 and 5 on ${heldOut} held-out pairs is ${text(recall.at1)} and ${text(recall.at5)}, ` +
      `before it was ${text(before.at1)} and ${text(before.at5)}: nothing was installed`,
    { hint: "The encoder in use is the better one; collect more and other scenes to improve on it." },
  );
}

const diverged = (step: number): SenseError =>
  new SenseError("BAD_PAIRS", `learning came to numbers that are none at step ${step}`, {
    hint: "Look for readings that are no numbers or far outside the usual range.",
  });
