import { crc32 } from "node:zlib";
import { type Modality, modalities } from "../../core/modality.js";
import type { Micros } from "../../core/time.js";

/** Bytes of a row's description; the vector itself stands in the segment's matrix. */
export const rowBytes = 32;

/** What is stored beside a vector. */
export interface Row {
  /** Index into the store's list of sensors. */
  readonly sensor: number;
  readonly modality: Modality;
  readonly seq: number;
  readonly from: Micros;
  readonly to: Micros;
}

const bytesOf = (vector: Float32Array): Uint8Array =>
  new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);

/**
 * A row, little-endian: CRC-32 of the rest and of the vector u32, sensor u16, modality u8, 0, from i64, to i64, seq u32, 0.
 * The checksum covers the vector, so that a row whose vector did not reach the disk does not count.
 */
export function encodeRow(row: Row, vector: Float32Array): Uint8Array {
  const bytes = new Uint8Array(rowBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, row.sensor, true);
  view.setUint8(6, modalities.indexOf(row.modality));
  view.setBigInt64(8, BigInt(row.from), true);
  view.setBigInt64(16, BigInt(row.to), true);
  view.setUint32(24, row.seq, true);
  view.setUint32(0, checksum(bytes, vector), true);
  return bytes;
}

const checksum = (bytes: Uint8Array, vector: Float32Array): number => crc32(bytesOf(vector), crc32(bytes.subarray(4)));

/** The row at an index of a segment's rows, or undefined where its checksum does not hold. */
export function decodeRow(bytes: Uint8Array, index: number, vector: Float32Array): Row | undefined {
  const part = bytes.subarray(index * rowBytes, (index + 1) * rowBytes);
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
  if (view.getUint32(0, true) !== checksum(part, vector)) return undefined;
  return readRow(bytes, index);
}

/** The row at an index, unchecked: of a segment that was checked when it was opened. */
export function readRow(bytes: Uint8Array, index: number): Row {
  const view = new DataView(bytes.buffer, bytes.byteOffset + index * rowBytes, rowBytes);
  return {
    sensor: view.getUint16(4, true),
    modality: modalities[view.getUint8(6)] ?? "other",
    from: Number(view.getBigInt64(8, true)) as Micros,
    to: Number(view.getBigInt64(16, true)) as Micros,
    seq: view.getUint32(24, true),
  };
}
