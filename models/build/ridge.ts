/** Rows of numbers, `data[row * width + column]`. */
export interface Matrix {
  readonly width: number;
  readonly data: Float64Array;
}

export const rowsOf = ({ width, data }: Matrix): number => data.length / width;

/**
 * Weighted ridge regression in closed form: the `[inputs.width, targets.width]` matrix B that minimises
 * `sum_i weight_i |inputs_i B - targets_i|^2 + lambda |B|^2`, the last column of the inputs (the ones) left free.
 */
export function ridge(
  inputs: Matrix,
  targets: Matrix,
  { lambda, weights }: { readonly lambda: number; readonly weights: Float64Array },
): Matrix {
  const [d, k, n] = [inputs.width, targets.width, rowsOf(inputs)];
  const gram = new Float64Array(d * d);
  const right = new Float64Array(d * k);
  for (let row = 0; row < n; row++) {
    const weight = weights[row]!;
    const x = inputs.data.subarray(row * d, (row + 1) * d);
    const y = targets.data.subarray(row * k, (row + 1) * k);
    for (let i = 0; i < d; i++) {
      const scaled = weight * x[i]!;
      for (let j = 0; j <= i; j++) gram[i * d + j]! += scaled * x[j]!;
      for (let j = 0; j < k; j++) right[i * k + j]! += scaled * y[j]!;
    }
  }
  for (let i = 0; i < d - 1; i++) gram[i * d + i]! += lambda;
  gram[d * d - 1]! += 1e-9;
  solveInPlace(gram, right, d);
  return { width: k, data: right };
}

/** Solves `A X = B` for symmetric positive definite A (lower triangle given) by Cholesky; X replaces B, the factor replaces A. */
export function solveInPlace(a: Float64Array, b: Float64Array, d: number): void {
  const k = b.length / d;
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * d + j]!;
      for (let p = 0; p < j; p++) sum -= a[i * d + p]! * a[j * d + p]!;
      a[i * d + j] = i === j ? Math.sqrt(sum) : sum / a[j * d + j]!;
    }
  for (let c = 0; c < k; c++) {
    for (let i = 0; i < d; i++) {
      let sum = b[i * k + c]!;
      for (let p = 0; p < i; p++) sum -= a[i * d + p]! * b[p * k + c]!;
      b[i * k + c] = sum / a[i * d + i]!;
    }
    for (let i = d - 1; i >= 0; i--) {
      let sum = b[i * k + c]!;
      for (let p = i + 1; p < d; p++) sum -= a[p * d + i]! * b[p * k + c]!;
      b[i * k + c] = sum / a[i * d + i]!;
    }
  }
}
