import { type Axis, antialiasedTaps, type Filter } from "./taps.js";

/** Bits after the point of Pillow's integer weights: 32 - 8 for the pixel - 2 for overshoot (Resample.c). */
const PRECISION = 22;

/** Tables kept: a camera has two. */
const CACHED = 16;

/** How the taps of an axis are laid out for the kernel that uses them: grey rows, RGB rows, or columns. */
export type Layout = "rows1" | "rows3" | "columns";

/** Pillow's integer weights as a kernel reads them. */
export interface IntegerTaps {
  readonly outputs: number;
  /** Groups of taps of every output: of 8, 4 and 2 taps. */
  readonly groups: number;
  readonly table: Uint8Array;
  /** The first input that is needed, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

const group = { rows1: 8, rows3: 4, columns: 2 } as const;

const cache = new Map<string, IntegerTaps>();

/** The taps of an axis, from the cache where it has them. `columns` count from the first input that is needed. */
export function integerTaps(axis: Axis, filter: Filter, layout: Layout): IntegerTaps {
  const key = `${layout} ${filter} ${axis.input} ${axis.output} ${axis.from} ${axis.count}`;
  const known = cache.get(key);
  if (known) return known;
  const made = makeTaps(axis, filter, layout);
  if (cache.size >= CACHED) cache.delete(cache.keys().next().value!);
  cache.set(key, made);
  return made;
}

function makeTaps(axis: Axis, filter: Filter, layout: Layout): IntegerTaps {
  const { outputs, stride, first, count, weights } = antialiasedTaps(axis, filter);
  const size = group[layout];
  const groups = Math.ceil(Math.max(...count) / size);
  const bytes = 4 + groups * size * 4;
  const table = new DataView(new ArrayBuffer(outputs * bytes));
  const from = first[0]!;
  for (let i = 0; i < outputs; i++) {
    table.setInt32(i * bytes, layout === "columns" ? first[i]! - from : first[i]! * (layout === "rows3" ? 3 : 1), true);
    for (let k = 0; k < count[i]!; k++) {
      const weight = rounded(weights[i * stride + k]!);
      const at = i * bytes + 4 + place(layout, k);
      table.setInt16(at, weight & 2047, true);
      table.setInt16(at + (layout === "rows1" ? 16 : 4), weight >> 11, true);
    }
  }
  return { outputs, groups, table: new Uint8Array(table.buffer), from, to: first.at(-1)! + count.at(-1)! };
}

/** Half away from zero. */
const rounded = (weight: number): number => Math.trunc(weight * 2 ** PRECISION + (weight < 0 ? -0.5 : 0.5));

/** Where the low half of tap k stands: the kernels multiply pairs (columns, RGB) or eight at once (grey). */
function place(layout: Layout, k: number): number {
  return layout === "rows1" ? (k >> 3) * 32 + (k & 7) * 2 : (k >> 1) * 8 + (k & 1) * 2;
}
