import type { Tensor } from "../core/tensor.js";
import type { ExternalFile } from "./external.js";
import { arrayOf, bytesOf, type DataType, typeOfArray } from "./types.js";
import type { Storage, Value, Weight } from "./value.js";
import { weightBytes } from "./weight-bytes.js";

/** Weights of at least this many bytes are worth another form, or a place in an external file. */
export const largeWeight = 4096;

/** The float32 weight behind a value, if it is one of at least `largeWeight` bytes and of `rank` axes. */
export function largeFloats(value: Value | undefined, rank?: number): Weight | undefined {
  if (value?.source.kind !== "weight") return undefined;
  const { weight } = value.source;
  const size = weight.dims.reduce((product, dim) => product * dim, 4);
  const fits = weight.type === "float32" && weight.storage.kind !== "opaque" && size >= largeWeight;
  return fits && (rank === undefined || weight.dims.length === rank) ? weight : undefined;
}

/** The numbers of a float32 weight. */
export async function floatsOf(weight: Weight): Promise<Float32Array> {
  return arrayOf("float32", await weightBytes(weight)) as Float32Array;
}

/** A new weight, in the external file if there is one and it is large. */
export async function storeTensor(
  { dims, data }: Tensor,
  external: ExternalFile | undefined,
  type: DataType = typeOfArray(data),
): Promise<Weight> {
  const bytes = bytesOf(data);
  const outside = external !== undefined && bytes.byteLength >= largeWeight;
  const storage: Storage = outside ? await external.append(bytes) : { kind: "bytes", bytes };
  return { type, dims, storage };
}
