import { SenseError } from "./errors.js";
import type { Modality } from "./modality.js";
import type { Micros } from "./time.js";

declare const unit: unique symbol;

/** A float32 vector of length 1; only `normalize` makes one. */
export type UnitVector = Float32Array & { readonly [unit]: true };

/** The point of a window in the shared space, and the id of the space it lives in. */
export interface Embedding {
  readonly sensor: string;
  readonly modality: Modality;
  readonly seq: number;
  readonly from: Micros;
  readonly to: Micros;
  readonly space: string;
  readonly vector: UnitVector;
}

/** A copy scaled to length 1. Throws `BAD_TENSOR` for a vector that has no direction (zero, NaN or infinite). */
export function normalize(vector: ArrayLike<number>): UnitVector {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! * vector[i]!;
  const length = Math.sqrt(sum);
  if (!(length > 1e-12) || length === Number.POSITIVE_INFINITY) {
    throw new SenseError("BAD_TENSOR", `a vector of length ${length} has no direction`, {
      hint: "The window probably holds NaN or nothing at all; check the sensor.",
    });
  }
  return Float32Array.from(vector, (value) => value / length) as UnitVector;
}

/** Cosine of two unit vectors of one space: a dot product. Allocates nothing. */
export function cosine(a: UnitVector, b: UnitVector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** A unit vector and how much of it there is; a negative weight takes its meaning away. */
export interface Term {
  readonly vector: UnitVector;
  readonly weight: number;
}

/** Embedding arithmetic: the direction of a weighted sum. Throws `BAD_TENSOR` where the terms cancel out. */
export function combine(terms: readonly Term[]): UnitVector {
  const sum = new Float64Array(terms[0]?.vector.length ?? 0);
  for (const { vector, weight } of terms) for (let i = 0; i < sum.length; i++) sum[i]! += weight * vector[i]!;
  if (Math.hypot(...sum) < 1e-6) {
    throw new SenseError("BAD_TENSOR", `${terms.length} terms cancel each other out: nothing is left to look for`, {
      hint: "Remove the minus term that repeats a plus term.",
    });
  }
  return normalize(sum);
}

/** Refuses to compare what lives in different spaces. Throws `SPACE_MISMATCH`. */
export function sameSpace(a: string, b: string): void {
  if (a !== b) {
    throw new SenseError("SPACE_MISMATCH", `a vector of space ${a} cannot be compared with one of space ${b}`, {
      hint: "Encode both with the same bundle.",
    });
  }
}
