import { SenseError } from "../core/errors.js";
import { sizeOf } from "../core/tensor.js";
import type { Body } from "../onnx/value.js";
import { footprintOf } from "./memory.js";

/** How much of the pairs goes through the network at once. */
export interface Sizes {
  readonly batch: number;
  /** Batches whose gradients make one step. */
  readonly accumulate: number;
  readonly queue: number;
  /** Steps in one run of the training graph: fewer runs copy less, each holds more. */
  readonly run: number;
  /** Rows of held-out pairs that are judged at once. */
  readonly rows: number;
}

/** What is learned from, as far as memory goes. */
export interface Load {
  /** Shape of one input, without the batch. */
  readonly dims: readonly number[];
  /** Length of the embedding. */
  readonly dim: number;
  /** Bytes of the weights that are learned. */
  readonly weights: number;
  readonly pairs: number;
  readonly step: (sizes: Sizes) => Body;
  readonly forward: () => Body;
}

/** A batch of fewer pairs teaches little, whatever the queue adds. */
const leastBatch = 4;

/**
 * What an engine and JavaScript take beside the tensors that must be there, measured with ONNX Runtime 1.30 as the growth of the resident
 * set over four networks and batches from 4 to 64: two sessions and their graphs, the arena's fragments, arrays that wait to be
 * collected, a step's state on its way in and out.
 */
const measured = { sessions: 72e6, perFrozenByte: 4, fragments: 1.35, feeds: 2.5, states: 4 };

/** The bytes that learning takes, by the number of steps in a run. */
function needed(sizes: Sizes, { dims, dim, weights, step, forward }: Load): (run: number) => number {
  const { batch, accumulate, queue, rows } = sizes;
  const graph = footprintOf(step({ ...sizes, run: 1 }));
  const fed = 4 * accumulate * (batch * (sizeOf(dims) + dim) + queue * dim);
  const looks = footprintOf(forward(), rows);
  const fixed =
    measured.sessions +
    measured.perFrozenByte * graph.weights +
    measured.fragments * (graph.peak - fed + looks.peak) +
    measured.states * 3 * weights;
  return (run) => fixed + measured.feeds * run * fed;
}

/**
 * The largest sizes that fit into so many bytes, at most those that are wanted: first fewer steps a run, then smaller batches, of which
 * more make a step, with a longer queue in place of the missing negatives. Throws `BAD_ARGUMENT` where even the smallest do not fit.
 */
export function fitted(wanted: Sizes, load: Load, memory: number): { sizes: Sizes; bytes: number } {
  let least = Number.POSITIVE_INFINITY;
  for (let batch = wanted.batch; ; batch = Math.ceil(batch / 2)) {
    const accumulate = wanted.accumulate * Math.ceil(wanted.batch / batch);
    const queue = Math.min(wanted.queue + wanted.batch - batch, Math.max(0, load.pairs - batch));
    const sizes = { ...wanted, batch, accumulate, queue, rows: Math.min(wanted.rows, batch) };
    const bytesOf = needed(sizes, load);
    for (let run = wanted.run; run >= 1; run >>= 1) {
      const bytes = bytesOf(run);
      if (bytes <= memory) return { sizes: { ...sizes, run }, bytes };
      least = Math.min(least, bytes);
    }
    if (batch <= leastBatch) break;
  }
  throw new SenseError(
    "BAD_ARGUMENT",
    `learning takes at least ${megabytes(least)} of memory, ${megabytes(Math.max(0, memory))} are left of what was given`,
    { hint: "Give more with --memory, or learn a head (--train head), which takes least." },
  );
}

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
