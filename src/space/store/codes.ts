import type { UnitVector } from "../../core/embedding.js";

/** The kernel takes this many dimensions at once. */
const step = 32;
const most = 127;

/** Bytes of a row of codes: one a dimension, filled up with zeros to what the kernel takes at once. */
export const strideOf = (dim: number): number => Math.ceil(dim / step) * step;

/** What is needed beside a row's codes to tell its cosine, and how far from the truth that can be. */
export interface Coding {
  /** Value of one code. */
  readonly scale: number;
  /** Length of what the codes left out: no cosine with a unit vector is off by more. */
  readonly error: number;
}

/** Writes a vector as int8, `scale` of each vector its own. Allocates only its result. */
export function quantize(vector: Float32Array, out: Int8Array): Coding {
  let highest = 0;
  for (let i = 0; i < vector.length; i++) highest = Math.max(highest, Math.abs(vector[i]!));
  const scale = Math.fround(highest / most);
  let left = 0;
  for (let i = 0; i < vector.length; i++) {
    const code = scale > 0 ? Math.round(vector[i]! / scale) : 0;
    out[i] = code;
    left += (vector[i]! - code * scale) ** 2;
  }
  return { scale, error: Math.sqrt(left) };
}

/** A query as int16 codes of one scale. */
export interface CodedQuery extends Coding {
  readonly codes: Int16Array;
  /** Length of what the codes stand for; near 1. */
  readonly length: number;
}

/**
 * A query as int16. The scale keeps every sum of products with int8 codes below 2^30: by Cauchy and Schwarz none is larger
 * than the product of the lengths.
 */
export function quantizeQuery(vector: UnitVector): CodedQuery {
  let highest = 0;
  for (const value of vector) highest = Math.max(highest, Math.abs(value));
  const scale = Math.max(highest / 32767, (most * Math.sqrt(vector.length)) / 2 ** 30);
  const codes = new Int16Array(strideOf(vector.length));
  let left = 0;
  let length = 0;
  for (let i = 0; i < vector.length; i++) {
    codes[i] = Math.round(vector[i]! / scale);
    left += (vector[i]! - codes[i]! * scale) ** 2;
    length += (codes[i]! * scale) ** 2;
  }
  return { codes, scale, error: Math.sqrt(left), length: Math.sqrt(length) };
}
