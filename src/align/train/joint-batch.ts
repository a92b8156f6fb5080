import { SenseError } from "../../core/errors.js";
import { sizeOf, type Tensor } from "../../core/tensor.js";
import { type JointOptions, kindName, type Moment, mostPairs, type PairKind, rowsOf } from "./pair-kind.js";

/** A batch as the graph of its kinds takes it. */
export interface Laid {
  /** Kinds that have a pair in it. */
  readonly kinds: readonly PairKind[];
  /** How many of each. */
  readonly pairs: readonly number[];
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** What a kind's queue holds: `[entries, dim]`, the newest first, end to end. */
export type Queues = ReadonlyMap<string, Float32Array>;

/**
 * Lays moments out: each tower's inputs end to end, those left out that are in no pair, and the pairs of each kind as numbers of
 * rows. What is too short for the graph's form is filled up with the first row, which is then not counted. Throws `BAD_PAIRS` where
 * nothing is a pair, `BAD_ARGUMENT` for more moments than there is room for, `MODEL_MISMATCH` for an input of another size.
 */
export function laidOut(options: JointOptions, moments: readonly Moment[]): Laid {
  const isPair = (moment: Moment, { between: [a, b] }: PairKind): boolean =>
    moment[a] !== undefined && moment[b] !== undefined;
  const kinds = options.kinds.filter((kind) => moments.some((moment) => isPair(moment, kind)));
  if (kinds.length === 0) {
    throw new SenseError("BAD_PAIRS", `none of the batch's ${moments.length} moments is a pair`, {
      hint: `Kinds of pair here: ${options.kinds.map(kindName).join(", ")}.`,
    });
  }
  const feeds: Record<string, Tensor> = {};
  const placed = new Map<string, ReadonlyMap<Moment, number>>();
  for (const tower of new Set(kinds.flatMap(({ between }) => between))) {
    const own = moments.filter((moment) => kinds.some((kind) => kind.between.includes(tower) && isPair(moment, kind)));
    feeds[tower] = rowsFor(options, tower, own);
    placed.set(tower, new Map(own.map((moment, row) => [moment, row])));
  }
  const pairs = kinds.map((kind) => {
    const both = moments.filter((moment) => isPair(moment, kind));
    const room = mostPairs(options, kind);
    for (const tower of kind.between) {
      const rows = BigInt64Array.from({ length: room }, (_, i) => {
        const moment = both[i];
        return BigInt(moment === undefined ? 0 : placed.get(tower)!.get(moment)!);
      });
      feeds[`rows.${kindName(kind)}.${tower}`] = { dims: [room], data: rows };
    }
    return both.length;
  });
  return { kinds, pairs, feeds };
}

function rowsFor(options: JointOptions, tower: string, moments: readonly Moment[]): Tensor {
  const { dims } = options.towers[tower]!;
  const [room, size] = [rowsOf(options, tower), sizeOf(dims)];
  if (moments.length > room) {
    throw new SenseError("BAD_ARGUMENT", `a batch with ${moments.length} of ${tower} has room for ${room}`, {
      hint: "Give fewer moments, or make `batch` or the tower's `rows` greater.",
    });
  }
  const data = new Float32Array(room * size);
  for (let row = 0; row < room; row++) {
    const input = (moments[row] ?? moments[0]!)[tower]!;
    if (input.length !== size) {
      throw new SenseError("MODEL_MISMATCH", `${tower} takes [${dims.join(", ")}], got ${input.length} numbers`);
    }
    data.set(input, row * size);
  }
  return { dims: [room, ...dims], data };
}

/** What of a kind's batch and queue counts, and the queue itself, filled up with zeros. */
export function queueFeeds(
  options: JointOptions,
  {
    kind,
    pairs,
    held = new Float32Array(0),
    dim,
  }: {
    readonly kind: PairKind;
    readonly pairs: number;
    readonly held: Float32Array | undefined;
    readonly dim: number;
  },
): Readonly<Record<string, Tensor>> {
  const [name, room] = [kindName(kind), mostPairs(options, kind)];
  const { queue = 0 } = kind;
  const counted = new Float32Array(room + queue).fill(1, 0, pairs);
  if (queue === 0) return { [`counted.${name}`]: { dims: [room], data: counted } };
  counted.fill(1, room, room + held.length / dim);
  const data = new Float32Array(queue * dim);
  data.set(held);
  return {
    [`counted.${name}`]: { dims: [room + queue], data: counted },
    [`queue.${name}`]: { dims: [queue, dim], data },
  };
}

/** The queue after a batch: its anchors before those that were there, the oldest given up. */
export function remembered(held: Float32Array, anchors: Float32Array, limit: number): Float32Array {
  const all = new Float32Array(Math.min(limit, held.length + anchors.length));
  all.set(anchors.subarray(0, limit));
  all.set(held.subarray(0, Math.max(0, all.length - anchors.length)), Math.min(anchors.length, all.length));
  return all;
}
