import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { strideOf } from "./codes.js";

/** A sealed segment prepared for search: its rows as int8, those of one list together. */
export interface SegmentIndex {
  /** Checksum of the centroids that the lists belong to; 0 where all is one list. */
  readonly centroids: number;
  /** Where each list begins, and where the last one ends. */
  readonly lists: Uint32Array;
  /** Which row of the segment stands where. */
  readonly order: Uint32Array;
  readonly scales: Float32Array;
  readonly errors: Float32Array;
  /** `count x stride`. */
  readonly codes: Int8Array;
}

const magic = 0x31584953;
const headWords = 8;

interface Sealed {
  readonly path: string;
  readonly dim: number;
  readonly count: number;
  /** Checksum of the segment's rows: an index of other rows is none. */
  readonly checksum: number;
}

const bytesOf = (part: ArrayBufferView): Uint8Array => new Uint8Array(part.buffer, part.byteOffset, part.byteLength);

/**
 * `<segment>.index`, little-endian u32: "SIX1", dim, rows, lists, checksum of the centroids, of the segment's rows, of what
 * follows, 0; then list beginnings u32, order u32, scales and errors float32, codes int8. Written beside and renamed.
 */
export function writeIndex({ path, dim, count, checksum }: Sealed, index: SegmentIndex): void {
  const parts = [index.lists, index.order, index.scales, index.errors, index.codes].map(bytesOf);
  const sum = parts.reduce((before, part) => crc32(part, before), 0);
  const head = Uint32Array.of(magic, dim, count, index.lists.length - 1, index.centroids, checksum, sum, 0);
  writeFileSync(`${path}.index.new`, Buffer.concat([bytesOf(head), ...parts]));
  renameSync(`${path}.index.new`, `${path}.index`);
}

/** The index of a segment; undefined where there is none, or one that is damaged or of other rows. */
export function readIndex({ path, dim, count, checksum }: Sealed): SegmentIndex | undefined {
  if (!existsSync(`${path}.index`)) return undefined;
  const { buffer, byteOffset, byteLength } = readFileSync(`${path}.index`);
  const bytes = byteOffset % 4 === 0 ? new Uint8Array(buffer, byteOffset, byteLength) : undefined;
  if (bytes === undefined || byteLength < 4 * headWords) return undefined;
  const head = new Uint32Array(bytes.buffer, bytes.byteOffset, headWords);
  const [found, foundDim, rows, lists, centroids, ofRows, sum] = head as unknown as readonly number[];
  const stride = strideOf(dim);
  const size = 4 * headWords + 4 * (lists! + 1) + count * (12 + stride);
  if (found !== magic || foundDim !== dim || rows !== count || ofRows !== checksum) return undefined;
  if (byteLength !== size || crc32(bytes.subarray(4 * headWords)) !== sum) return undefined;
  let at = bytes.byteOffset + 4 * headWords;
  const words = (length: number): number => {
    at += 4 * length;
    return at - 4 * length;
  };
  return {
    centroids: centroids!,
    lists: new Uint32Array(buffer, words(lists! + 1), lists! + 1),
    order: new Uint32Array(buffer, words(count), count),
    scales: new Float32Array(buffer, words(count), count),
    errors: new Float32Array(buffer, words(count), count),
    codes: new Int8Array(buffer, at, count * stride),
  };
}
