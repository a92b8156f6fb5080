import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { crc32 } from "node:zlib";
import { decodeRow, encodeRow, type Row, readRow, rowBytes } from "./row.js";

/** A stretch of the store: `<name>.f32`, a plain matrix of float32, and `<name>.rows`, what each of its rows is. */
export class Segment {
  readonly path: string;
  readonly dim: number;
  #rows: Uint8Array;
  #count: number;

  private constructor(path: string, dim: number, rows: Uint8Array) {
    this.path = path;
    this.dim = dim;
    this.#rows = rows;
    this.#count = rows.length / rowBytes;
  }

  /**
   * Opens a segment, or begins one. Rows that were being written when the power went are cut off: the matrix is written
   * first, so the last row whose checksum holds is the end.
   */
  static open(path: string, dim: number): Segment {
    if (!existsSync(`${path}.rows`)) return new Segment(path, dim, new Uint8Array(0));
    const rows = readFileSync(`${path}.rows`);
    const vectors = statSync(`${path}.f32`, { throwIfNoEntry: false })?.size ?? 0;
    let count = Math.min(Math.floor(rows.length / rowBytes), Math.floor(vectors / (dim * 4)));
    const file = count > 0 ? openSync(`${path}.f32`, "r") : undefined;
    try {
      while (file !== undefined && count > 0 && !decodeRow(rows, count - 1, readVector(file, count - 1, dim))) count--;
    } finally {
      if (file !== undefined) closeSync(file);
    }
    return new Segment(path, dim, Uint8Array.from(rows.subarray(0, count * rowBytes)));
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#count * (this.dim * 4 + rowBytes);
  }

  /** Of what its rows say: of a sealed segment it never changes. */
  get checksum(): number {
    return crc32(this.#rows);
  }

  row(index: number): Row {
    return readRow(this.#rows, index);
  }

  /** What the rows say, 32 bytes each: see row.ts. */
  get rows(): Uint8Array {
    return this.#rows;
  }

  /** Adds rows at the end, all or (after a crash) the first of them. */
  append(rows: readonly { readonly row: Row; readonly vector: Float32Array }[]): void {
    const head = new Uint8Array(rows.length * rowBytes);
    const body = new Float32Array(rows.length * this.dim);
    rows.forEach(({ row, vector }, i) => {
      head.set(encodeRow(row, vector), i * rowBytes);
      body.set(vector, i * this.dim);
    });
    writeAt(`${this.path}.f32`, new Uint8Array(body.buffer), this.#count * this.dim * 4);
    writeAt(`${this.path}.rows`, head, this.#count * rowBytes);
    const all = new Uint8Array(this.#rows.length + head.length);
    all.set(this.#rows);
    all.set(head, this.#rows.length);
    this.#rows = all;
    this.#count += rows.length;
  }

  /** The matrix from row `first` on, `count - first` x `dim`. */
  vectors(first = 0): Float32Array {
    const out = new Float32Array((this.#count - first) * this.dim);
    if (out.length === 0) return out;
    const file = openSync(`${this.path}.f32`, "r");
    try {
      readSync(file, new Uint8Array(out.buffer), 0, out.byteLength, first * this.dim * 4);
    } finally {
      closeSync(file);
    }
    return out;
  }

  remove(): void {
    // The rows first: a matrix without rows is an empty segment, rows without a matrix would be a damaged one.
    for (const ending of ["rows", "f32", "index"]) rmSync(`${this.path}.${ending}`, { force: true });
  }
}

function readVector(file: number, index: number, dim: number): Float32Array {
  const vector = new Float32Array(dim);
  readSync(file, new Uint8Array(vector.buffer), 0, dim * 4, index * dim * 4);
  return vector;
}

/** Writes at an offset, cuts off what a crash left behind it, and waits for the disk. */
function writeAt(path: string, bytes: Uint8Array, offset: number): void {
  const file = openSync(path, existsSync(path) ? "r+" : "w+");
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, offset + done);
    ftruncateSync(file, offset + bytes.length);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
