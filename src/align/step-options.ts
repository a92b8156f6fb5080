import { fitted, type Sizes } from "./fit.js";
import type { Architecture, Parameter } from "./net/net.js";
import type { Pair } from "./pairs/pair.js";
import { type AdamWOptions, adamW } from "./train/adamw.js";
import { forwardGraph } from "./train/forward.js";
import { type ContrastOptions, drawn, infoNce, logitScale, sigmoidBias, sigmoidLoss } from "./train/loss.js";
import { packingOf } from "./train/packing.js";
import { type StepOptions, stepGraph } from "./train/step-graph.js";

export interface LearnOptions {
  readonly architecture: Architecture;
  readonly loss?: "infonce" | "sigmoid";
  /** Steps at most; the learning rate falls to a hundredth over them. As many as there are pairs, 80 to 600, unless given. */
  readonly steps?: number;
  readonly batch?: number;
  /** Past camera embeddings that go with each batch as negatives. */
  readonly queue?: number;
  /** Anchors with a greater cosine are the same scene and no negatives of one another. */
  readonly same?: number;
  /** How strongly each window is drawn to its own anchor, beside the contrast; 0 unless given. */
  readonly pull?: number;
  readonly optimizer?: Partial<AdamWOptions>;
  /** What learning may take beside the pairs, in bytes: batches are smaller then, and more of them make a step. */
  readonly memory?: number;
  readonly onSizes?: (sizes: Sizes) => void;
}

/** Steps in one run of the training graph, where memory does not ask for fewer. */
export const stepsARun = 8;

/** A batch no larger than the pairs there are, and a queue no larger than what is left of them. */
export function wantedSizes(pairs: readonly Pair[], { batch = 64, queue = 256 }: LearnOptions): Sizes {
  const rows = Math.min(batch, pairs.length);
  return {
    ...{ batch: rows, accumulate: 1, run: stepsARun, rows: 32 },
    queue: Math.min(queue, Math.max(0, pairs.length - rows)),
  };
}

interface Learned {
  readonly parameters: readonly Parameter[];
  /** The network's own, without those of the loss. */
  readonly own: readonly Parameter[];
}

export function sizesFor(pairs: readonly Pair[], options: LearnOptions, { parameters, own }: Learned): Sizes {
  const wanted = wantedSizes(pairs, options);
  if (options.memory === undefined) return wanted;
  const { sensor, anchor } = pairs[0]!;
  const dims = sensor.dims.slice(1);
  const load = {
    ...{ dims, dim: anchor.length, pairs: pairs.length },
    weights: parameters.reduce((sum, { data }) => sum + data.byteLength, 0),
    step: (sizes: Sizes) => stepGraph(parameters, stepOptionsOf(pairs, options, sizes)).graph,
    forward: () => forwardGraph(options.architecture, packingOf(own), dims),
  };
  const { sizes } = fitted(wanted, load, options.memory);
  options.onSizes?.(sizes);
  return sizes;
}

/** Few pairs are soon known by heart: a step for each, within bounds. */
const stepsFor = (pairs: number): number => Math.min(600, Math.max(80, pairs));

export function stepOptionsOf(pairs: readonly Pair[], options: LearnOptions, sizes: Sizes): StepOptions {
  const { architecture, same = 0.98, pull = 0, steps = stepsFor(pairs.length), optimizer } = options;
  const { batch, queue, accumulate, run } = sizes;
  const { sensor, anchor } = pairs[0]!;
  const total = Math.max(stepsARun, Math.ceil(steps / stepsARun) * stepsARun);
  const anchors = { name: "anchors", dims: [batch, anchor.length] };
  return {
    inputs: [
      { name: "x", dims: [batch, ...sensor.dims.slice(1)] },
      anchors,
      ...(queue > 0 ? [{ name: "queue", dims: [queue, anchor.length] }] : []),
    ],
    loss: (net, given) => {
      const z = architecture(net, given.x!);
      const contrast: ContrastOptions = { scale: logitScale(net), same, ...(queue > 0 && { queue: given.queue! }) };
      const loss =
        options.loss === "sigmoid"
          ? sigmoidLoss(net.g, z, given.anchors!, { ...contrast, bias: sigmoidBias(net) })
          : infoNce(net.g, z, given.anchors!, contrast);
      return pull === 0 ? loss : drawn(net.g, loss, { z, anchors: given.anchors!, pull });
    },
    optimizer: { ...adamW, ...optimizer },
    schedule: { warmup: Math.round(total / 20), total, floor: 0.01 },
    clip: 1,
    steps: run,
    accumulate,
  };
}
