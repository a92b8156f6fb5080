import { SenseError } from "./errors.js";

export type TensorData = Float32Array | Uint8Array | Int8Array | Uint16Array | Int16Array | Int32Array | BigInt64Array;

/** A dense array in C order. */
export interface Tensor<D extends TensorData = TensorData> {
  readonly dims: readonly number[];
  readonly data: D;
}

/** Number of elements of a shape. */
export const sizeOf = (dims: readonly number[]): number => dims.reduce((size, dim) => size * dim, 1);

/** A tensor whose data fits its shape. Throws `BAD_TENSOR` where it does not. */
export function tensor<D extends TensorData>(dims: readonly number[], data: D): Tensor<D> {
  if (sizeOf(dims) !== data.length) {
    throw new SenseError(
      "BAD_TENSOR",
      `a tensor of shape [${dims.join(", ")}] needs ${sizeOf(dims)} values, got ${data.length}`,
    );
  }
  return { dims, data };
}
