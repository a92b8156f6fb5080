import type { Tensor } from "../core/tensor.js";
import type { ExternalFile } from "./external.js";
import { fromHalf } from "./half.js";
import { arrayOf, bytesOf, type DataType, typeOfArray } from "./types.js";
import type { Storage, Value, Weight } from "./value.js";
import { weightBytes } from "./weight-bytes.js";

/** Weights of at least this many bytes are worth another form, or a place in an external file. */
export const largeWeight = 4096;

/** The weight behind a value: its own, or the float16 one that a Cast makes it of. */
function weightBehind({ source }: Value): Weight | undefined {
  if (source.kind === "weight") return source.weight;
  const [stored] = source.kind === "node" && source.node.op === "Cast" ? source.node.inputs : [];
  return stored?.source.kind === "weight" && stored.type === "float16" ? stored.source.weight : undefined;
}

/** The weight of real numbers behind a value, if it is one of at least `largeWeight` bytes of float32 and of `rank` axes. */
export function largeFloats(value: Value | undefined, rank?: number): Weight | undefined {
  const weight = value?.type === "float32" ? weightBehind(value) : undefined;
  if (weight === undefined || weight.storage.kind === "opaque") return undefined;
  const size = weight.dims.reduce((product, dim) => product * dim, 4);
  return size >= largeWeight && (rank === undefined || weight.dims.length === rank) ? weight : undefined;
}

/** The numbers of a float32 or float16 weight. */
export async function floatsOf(weight: Weight): Promise<Float32Array> {
  const data = arrayOf(weight.type ?? "float32", await weightBytes(weight));
  return data instanceof Uint16Array ? fromHalf(data) : (data as Float32Array);
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
