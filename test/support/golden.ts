import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { decodeNpy } from "../../src/core/npy.js";
import type { Tensor } from "../../src/core/tensor.js";

/** The folder of golden files: SENSEBIND_FIXTURES, or the small set of the repository. */
const root = resolve(process.env.SENSEBIND_FIXTURES ?? "test/golden");

/** The path of a golden file. */
export const goldenPath = (...parts: string[]): string => resolve(root, ...parts);

export const hasGolden = (...parts: string[]): boolean => existsSync(goldenPath(...parts));

/** A golden JSON file, or the fallback where the folder has none: tests then have no cases. */
export function goldenJson<T>(path: string, fallback: T): T {
  return hasGolden(path) ? (JSON.parse(readFileSync(goldenPath(path), "utf8")) as T) : fallback;
}

export const goldenBytes = (...parts: string[]): Uint8Array => readFileSync(goldenPath(...parts));

export const goldenTensor = (...parts: string[]): Tensor => decodeNpy(goldenBytes(...parts));

export interface Distance {
  readonly max: number;
  readonly mean: number;
  readonly p999: number;
}

/** Absolute differences of two arrays of one length: greatest, mean, and that which 99.9 % do not exceed. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): Distance {
  if (a.length !== b.length) throw new RangeError(`${a.length} values were compared with ${b.length}`);
  const off = Float64Array.from(a, (value, i) => Math.abs(value - b[i]!)).sort();
  return {
    max: off.at(-1) ?? 0,
    mean: off.reduce((sum, value) => sum + value, 0) / Math.max(1, off.length),
    p999: off[Math.ceil(off.length * 0.999) - 1] ?? 0,
  };
}
