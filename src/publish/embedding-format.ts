import type { Embedding } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import { fromFloat16, toFloat16 } from "../core/float16.js";
import { type Modality, modalities } from "../core/modality.js";
import { type Micros, micros } from "../core/time.js";

/** How the numbers of a binary embedding are stored; the index is the dtype byte. */
export const dtypes = ["float32", "float16", "int8"] as const;
export type Dtype = (typeof dtypes)[number];

/** MQTT 5 content type of a binary embedding. */
export const embeddingContentType = "application/vnd.sensebind.embedding.v1";

/** Bytes before the vector. */
export const headerSize = 40;

const bytesOf = { float32: 4, float16: 2, int8: 1 } as const satisfies Record<Dtype, number>;
const otherModality = 255;

/** A binary embedding as it is on the wire; `spaceTag` is the first 8 bytes of SHA-256 of the space id, in hex. */
export interface WireEmbedding {
  readonly dtype: Dtype;
  readonly modality: Modality;
  readonly from: Micros;
  readonly to: Micros;
  readonly seq: number;
  readonly spaceTag: string;
  readonly vector: Float32Array;
}

export interface EncodeOptions {
  readonly dtype: Dtype;
  /** First 8 bytes of SHA-256 of the space id (UTF-8). */
  readonly spaceTag: Uint8Array;
}

/** The binary embedding of the MQTT contract, version 1: 40 bytes of header, then the vector; little-endian. */
export function encodeEmbedding(embedding: Embedding, { dtype, spaceTag }: EncodeOptions): Uint8Array {
  const { vector } = embedding;
  const scale = dtype === "int8" ? int8Scale(vector) : 1;
  const bytes = new Uint8Array(headerSize + vector.length * bytesOf[dtype]);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x53424531, false);
  view.setUint8(4, dtypes.indexOf(dtype));
  view.setUint8(5, embedding.modality === "other" ? otherModality : modalities.indexOf(embedding.modality));
  view.setUint16(6, vector.length, true);
  view.setBigInt64(8, BigInt(embedding.from), true);
  view.setBigInt64(16, BigInt(embedding.to), true);
  view.setUint32(24, embedding.seq >>> 0, true);
  view.setFloat32(28, scale, true);
  bytes.set(spaceTag.subarray(0, 8), 32);
  for (let i = 0, at = headerSize; i < vector.length; i++, at += bytesOf[dtype]) {
    if (dtype === "float32") view.setFloat32(at, vector[i]!, true);
    else if (dtype === "float16") view.setUint16(at, toFloat16(vector[i]!), true);
    else view.setInt8(at, Math.round(vector[i]! / scale));
  }
  return bytes;
}

/** The float32 for which the largest component becomes 127: rounded as it is on the wire, so that both sides agree. */
function int8Scale(vector: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]!));
  return Math.fround(largest / 127) || 1;
}

/** Reads a binary embedding. Throws `BAD_MESSAGE` for anything that is not one, whole and without a byte too many. */
export function decodeEmbedding(bytes: Uint8Array): WireEmbedding {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerSize || view.getUint32(0, false) !== 0x53424531) {
    throw bad(`${bytes.length} bytes do not begin with the header SBE1`);
  }
  const dtype = dtypes[view.getUint8(4)];
  if (dtype === undefined) throw bad(`dtype ${view.getUint8(4)} is not 0, 1 or 2`);
  const code = view.getUint8(5);
  const modality = code === otherModality ? "other" : modalities[code];
  if (modality === undefined || (modality === "other" && code !== otherModality))
    throw bad(`modality ${code} is unknown`);
  const dim = view.getUint16(6, true);
  const size = headerSize + dim * bytesOf[dtype];
  if (bytes.length !== size) throw bad(`${dim} components of ${dtype} take ${size} bytes, not ${bytes.length}`);
  return {
    dtype,
    modality,
    from: micros(Number(view.getBigInt64(8, true))),
    to: micros(Number(view.getBigInt64(16, true))),
    seq: view.getUint32(24, true),
    spaceTag: hex(bytes.subarray(32, headerSize)),
    vector: readVector(view, dtype, dim),
  };
}

function readVector(view: DataView, dtype: Dtype, dim: number): Float32Array {
  const scale = view.getFloat32(28, true);
  const vector = new Float32Array(dim);
  for (let i = 0, at = headerSize; i < dim; i++, at += bytesOf[dtype]) {
    if (dtype === "float32") vector[i] = view.getFloat32(at, true);
    else if (dtype === "float16") vector[i] = fromFloat16(view.getUint16(at, true));
    else vector[i] = view.getInt8(at) * scale;
  }
  return vector;
}

/** Lower-case hex of bytes. */
export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function bad(message: string): SenseError {
  return new SenseError("BAD_MESSAGE", `not a binary embedding: ${message}`, {
    hint: "Binary embeddings are on sensebind/<node>/sensor/<sensor>/embedding only; see docs/mqtt.md.",
  });
}
