import type { Tensor } from "../../src/core/tensor.js";
import { tensor } from "../../src/core/tensor.js";
import type { ExternalFile } from "../../src/onnx/external.js";
import type { Graph } from "../../src/onnx/graph.js";
import { toHalf } from "../../src/onnx/half.js";
import { bytesOf } from "../../src/onnx/types.js";
import type { Storage, Value } from "../../src/onnx/value.js";

/** A weight as it is stored: bytes small enough to ship, in the .onnx file or in one that several graphs share. */
export interface Packed {
  readonly name: string;
  readonly dims: readonly number[];
  readonly kind: "int8" | "float16";
  readonly storage: Storage;
  /** One factor for each slice along `axis`, for int8. */
  readonly scales?: Float32Array;
  readonly axis: number;
}

/** Where packed bytes go: inside the graph's own file, or to a file beside it. */
export type Place = ExternalFile | undefined;

/** float16 numbers, 11 bits of mantissa: what small and sensitive weights are stored as. */
export async function packHalf(name: string, { dims, data }: Tensor<Float32Array>, place: Place): Promise<Packed> {
  return { name, dims, kind: "float16", axis: 0, storage: await put(bytesOf(toHalf(data)), place) };
}

/** int8 numbers with one scale for each slice along `axis`: the largest magnitude of a slice becomes 127. */
export async function packInt8(
  name: string,
  { dims, data }: Tensor<Float32Array>,
  { axis = 0, place }: { readonly axis?: number; readonly place?: Place } = {},
): Promise<Packed> {
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const slices = dims[axis]!;
  const sliceOf = (i: number): number => Math.floor(i / inner) % slices;
  const scales = new Float32Array(slices);
  for (let i = 0; i < data.length; i++) {
    const s = sliceOf(i);
    scales[s] = Math.max(scales[s]!, Math.abs(data[i]!) / 127);
  }
  const quantised = new Int8Array(data.length);
  for (let i = 0; i < data.length; i++) quantised[i] = Math.round(data[i]! / (scales[sliceOf(i)]! || 1));
  return { name, dims, kind: "int8", scales, axis, storage: await put(bytesOf(quantised), place) };
}

async function put(bytes: Uint8Array, place: Place): Promise<Storage> {
  return place === undefined ? { kind: "bytes", bytes: bytes.slice() } : place.append(bytes);
}

/** The packed weight as float32 inside a graph; ONNX Runtime folds these nodes into a constant when it loads the model. */
export function unpack(g: Graph, { name, dims, kind, storage, scales, axis }: Packed): Value {
  const stored = g.stored(name, { type: kind, dims, storage });
  const floats = g.op("Cast", [stored], { to: 1 }, { name: `${name}.float` });
  if (scales === undefined) return floats;
  const shape = dims.map((_, i) => (i === axis ? scales.length : 1));
  return g.op("Mul", [floats, g.weight(`${name}.scale`, tensor(shape, scales))], {}, { name: `${name}.scaled` });
}
