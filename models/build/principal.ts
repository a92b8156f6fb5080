import { gaussian, seeded } from "../../src/core/random.js";
import { type Matrix, rowsOf } from "./ridge.js";

/** A linear map `x W + bias`: weights `[inputs, outputs]` in C order. */
export interface Affine {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

/**
 * Principal components of rows: the map to their `count` strongest directions, each divided by its variance to the power
 * `whiten` (0.5 makes them equal). Orthogonal iteration on the covariance, from a fixed seed.
 */
export function principal(
  rows: Matrix,
  { count, whiten }: { readonly count: number; readonly whiten: number },
): Affine {
  const { width: d, data } = rows;
  const n = rowsOf(rows);
  const mean = new Float64Array(d);
  for (let i = 0; i < data.length; i++) mean[i % d]! += data[i]! / n;
  const covariance = new Float64Array(d * d);
  const centred = new Float64Array(d);
  for (let r = 0; r < n; r++) {
    for (let i = 0; i < d; i++) centred[i] = data[r * d + i]! - mean[i]!;
    for (let i = 0; i < d; i++) {
      const scaled = centred[i]! / n;
      for (let j = 0; j < d; j++) covariance[i * d + j]! += scaled * centred[j]!;
    }
  }
  const random = seeded(1);
  let basis = Array.from({ length: count }, () => Float64Array.from({ length: d }, () => gaussian(random)));
  let strengths = new Float64Array(count);
  for (let round = 0; round < 60; round++) {
    basis = basis.map((vector) => times(covariance, vector));
    strengths = orthonormalise(basis);
  }
  const weights = new Float64Array(d * count);
  const bias = new Float64Array(count);
  for (const [c, vector] of basis.entries()) {
    const factor = strengths[c]! ** -whiten;
    for (let i = 0; i < d; i++) {
      weights[i * count + c] = vector[i]! * factor;
      bias[c]! -= mean[i]! * vector[i]! * factor;
    }
  }
  return { inputs: d, outputs: count, weights, bias };
}

function times(square: Float64Array, vector: Float64Array): Float64Array<ArrayBuffer> {
  const d = vector.length;
  const out = new Float64Array(d);
  for (let i = 0; i < d; i++) {
    let sum = 0;
    for (let j = 0; j < d; j++) sum += square[i * d + j]! * vector[j]!;
    out[i] = sum;
  }
  return out;
}

/** Gram-Schmidt in place; the lengths before scaling, which converge to the eigenvalues. */
function orthonormalise(basis: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const lengths = new Float64Array(basis.length);
  for (const [c, vector] of basis.entries()) {
    for (const earlier of basis.slice(0, c)) {
      let overlap = 0;
      for (let i = 0; i < vector.length; i++) overlap += vector[i]! * earlier[i]!;
      for (let i = 0; i < vector.length; i++) vector[i]! -= overlap * earlier[i]!;
    }
    lengths[c] = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    for (let i = 0; i < vector.length; i++) vector[i]! /= lengths[c]!;
  }
  return lengths;
}

/** `x W + bias` for each row. */
export function applied({ inputs, outputs, weights, bias }: Affine, rows: Matrix): Matrix {
  const n = rowsOf(rows);
  const data = new Float64Array(n * outputs);
  for (let r = 0; r < n; r++) {
    data.set(bias, r * outputs);
    for (let i = 0; i < inputs; i++) {
      const x = rows.data[r * inputs + i]!;
      if (x === 0) continue;
      for (let c = 0; c < outputs; c++) data[r * outputs + c]! += x * weights[i * outputs + c]!;
    }
  }
  return { width: outputs, data };
}
