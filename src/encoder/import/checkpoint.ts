import { SenseError } from "../../core/errors.js";
import { sizeOf, type Tensor, tensor } from "../../core/tensor.js";
import { fromBfloat16, fromHalf } from "../../onnx/half.js";
import { arrayOf, type DataType, dataTypes } from "../../onnx/types.js";
import type { BytesFile } from "./bytes-file.js";

export interface TensorInfo {
  readonly type: DataType;
  readonly dims: readonly number[];
}

/** Where a tensor lies in its file. */
export interface StoredTensor extends TensorInfo {
  /** Position of its first element in the file, in bytes. */
  readonly byteOffset: number;
  /** Steps between neighbours along each axis, in elements. */
  readonly strides: readonly number[];
}

export type CheckpointFormat = "torch" | "torch-legacy" | "safetensors";

/** Steps of a dense tensor in C order. */
export function denseStrides(dims: readonly number[]): number[] {
  const strides = dims.map(() => 1);
  for (let i = dims.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * dims[i + 1]!;
  return strides;
}

/** Elements between a tensor's first and its last, both included. */
export const spanOf = (dims: readonly number[], strides: readonly number[]): number =>
  sizeOf(dims) === 0 ? 0 : 1 + dims.reduce((span, dim, i) => span + (dim - 1) * strides[i]!, 0);

/** The weights in a file: names and shapes at once, numbers one tensor at a time. Single-use. */
export class Checkpoint implements AsyncDisposable {
  readonly format: CheckpointFormat;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly #stored: ReadonlyMap<string, StoredTensor>;
  readonly #file: BytesFile;

  constructor(format: CheckpointFormat, file: BytesFile, stored: ReadonlyMap<string, StoredTensor>) {
    this.format = format;
    this.tensors = stored;
    this.#stored = stored;
    this.#file = file;
  }

  /** A tensor as it is stored, made dense; float16 and bfloat16 as their bits. Throws `BAD_CHECKPOINT` for an unknown name. */
  async read(name: string): Promise<Tensor> {
    const { type, dims, byteOffset, strides } = this.#find(name);
    const { bytes: size } = dataTypes[type];
    const bytes = await this.#file.read(byteOffset, spanOf(dims, strides) * size);
    const dense = denseStrides(dims);
    const isDense = strides.every((stride, i) => dims[i] === 1 || stride === dense[i]);
    return tensor(dims, arrayOf(type, isDense ? bytes : gather(bytes, dims, strides, size)));
  }

  /** A tensor of real numbers as float32, whatever it is stored as. Throws `BAD_CHECKPOINT` for one of integers. */
  async floats(name: string): Promise<Tensor<Float32Array>> {
    const { type, dims } = this.#find(name);
    if (type === "float64") return tensor(dims, await this.#doubles(name));
    const { data } = await this.read(name);
    if (data instanceof Float32Array) return tensor(dims, data);
    if (data instanceof Uint16Array && type === "float16") return tensor(dims, fromHalf(data));
    if (data instanceof Uint16Array && type === "bfloat16") return tensor(dims, fromBfloat16(data));
    throw new SenseError("BAD_CHECKPOINT", `${name} holds numbers of type ${type}, not real numbers`, {
      hint: "Save the weights as float32, float16 or bfloat16.",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }

  async #doubles(name: string): Promise<Float32Array> {
    const { dims, byteOffset, strides } = this.#find(name);
    const bytes = await this.#file.read(byteOffset, spanOf(dims, strides) * 8);
    const dense = gather(bytes, dims, strides, 8);
    return Float32Array.from(new Float64Array(dense.buffer));
  }

  #find(name: string): StoredTensor {
    const found = this.#stored.get(name);
    if (found !== undefined) return found;
    throw new SenseError("BAD_CHECKPOINT", `the checkpoint has no tensor ${name}`, {
      hint: "It may be of another model, or saved in parts: import the whole state dict.",
    });
  }
}

/** Copies the elements of a strided tensor into C order. */
function gather(
  bytes: Uint8Array,
  dims: readonly number[],
  strides: readonly number[],
  size: number,
): Uint8Array<ArrayBuffer> {
  const count = sizeOf(dims);
  const out = new Uint8Array(count * size);
  const at = dims.map(() => 0);
  let from = 0;
  for (let i = 0; i < count; i++) {
    out.set(bytes.subarray(from * size, (from + 1) * size), i * size);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      at[axis]!++;
      from += strides[axis]!;
      if (at[axis]! < dims[axis]!) break;
      from -= at[axis]! * strides[axis]!;
      at[axis] = 0;
    }
  }
  return out;
}
