import { type Compiled, code, stride } from "./program.js";
import { push, type Ring, ringOf } from "./ring.js";

/** A time before every window: `t - d` of a real time never reaches it. */
const never = -Number.MAX_SAFE_INTEGER;
/** `once`: the operand is true now, so there is no last time yet. */
const still = Number.MAX_SAFE_INTEGER;

/** The values of all nodes, at the last time at which each was evaluated; between two evaluations nothing changes. */
export interface Cells {
  /** Truth as 0 or 1, or a number. */
  readonly values: Float64Array;
  /** What an operator must remember: one number a node, so that its memory is bounded. */
  readonly memory: Float64Array;
  /** The begins inside the window of each `count`. */
  readonly rings: readonly Ring[];
  /** Truth and score of each slot. */
  readonly on: Uint8Array;
  readonly scores: Float64Array;
}

/** What is known before the trace starts: nothing was true. */
export function freshCells({ nodes, args, slots, rings }: Compiled): Cells {
  return {
    values: new Float64Array(args.length),
    memory: Float64Array.from(args, (_, node) => (remembersTime.has(nodes[node * stride]!) ? never : 0)),
    rings: Array.from({ length: rings }, () => ringOf([])),
    on: new Uint8Array(slots.length),
    scores: new Float64Array(slots.length),
  };
}

const remembersTime: ReadonlySet<number> = new Set([code.once, code.always, code.then]);

/**
 * Evaluates the nodes first..last at time `t`, later than the last time, and returns the next time at which one of them
 * changes if no signal does (Infinity: none). Time is integer µs, so that every truth is a union of intervals
 * [from, to) and an instant x is [x, x + 1). Allocates nothing: it runs for each rule that an event touches.
 */
export function evaluate({ nodes, args }: Compiled, cells: Cells, { first, last }: Range, t: number): number {
  const { values, memory } = cells;
  let due = Number.POSITIVE_INFINITY;
  for (let node = first; node <= last; node++) {
    const at = node * stride;
    const left = nodes[at + 1]!;
    const right = nodes[at + 2]!;
    switch (nodes[at]) {
      case code.signal:
        values[node] = cells.on[left]!;
        break;
      case code.score:
        values[node] = cells.scores[left]!;
        break;
      case code.number:
        values[node] = args[node]!;
        break;
      case code.not:
        values[node] = 1 - values[left]!;
        break;
      case code.and:
        values[node] = values[left]! & values[right]!;
        break;
      case code.or:
        values[node] = values[left]! | values[right]!;
        break;
      case code.since:
        // Its own last value is the value just before t: b since then, and a up to then.
        values[node] = values[right]! | (values[left]! & values[node]!);
        break;
      case code.once: {
        if (values[left] === 1) memory[node] = still;
        else if (memory[node] === still) memory[node] = t + args[node]!;
        // The memory is the first time at which the operand is out of the window.
        const until = memory[node]!;
        values[node] = t < until ? 1 : 0;
        if (t < until && until < due && until !== still) due = until;
        break;
      }
      case code.always: {
        if (values[left] === 0) memory[node] = never;
        else if (memory[node] === never) memory[node] = t;
        const since = memory[node]!;
        const from = since + args[node]!;
        values[node] = since !== never && t >= from ? 1 : 0;
        if (since !== never && t < from && from < due) due = from;
        break;
      }
      case code.begin:
      case code.end: {
        const now = values[left]!;
        const was = memory[node]!;
        const edge = nodes[at] === code.begin ? now & (1 - was) : was & (1 - now);
        memory[node] = now;
        values[node] = edge;
        if (edge === 1 && t + 1 < due) due = t + 1;
        break;
      }
      case code.then: {
        // The memory is the newest begin strictly before t: it is updated after its use.
        values[node] = values[right] === 1 && memory[node]! >= t - args[node]! ? 1 : 0;
        if (values[left] === 1) memory[node] = t;
        break;
      }
      case code.count: {
        const ring = cells.rings[right]!;
        if (values[left] === 1) push(ring, t);
        const window = args[node]!;
        while (ring.size > 0 && ring.times[ring.head]! <= t - window) {
          ring.head = (ring.head + 1) % ring.times.length;
          ring.size--;
        }
        values[node] = ring.size;
        if (ring.size > 0 && ring.times[ring.head]! + window < due) due = ring.times[ring.head]! + window;
        break;
      }
      case code[">"]:
        values[node] = values[left]! > values[right]! ? 1 : 0;
        break;
      case code[">="]:
        values[node] = values[left]! >= values[right]! ? 1 : 0;
        break;
      case code["<"]:
        values[node] = values[left]! < values[right]! ? 1 : 0;
        break;
      case code["<="]:
        values[node] = values[left]! <= values[right]! ? 1 : 0;
        break;
      case code["=="]:
        values[node] = values[left]! === values[right]! ? 1 : 0;
        break;
      default:
        values[node] = values[left]! === values[right]! ? 0 : 1;
    }
  }
  return due;
}

interface Range {
  readonly first: number;
  readonly last: number;
}
