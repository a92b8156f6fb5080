import { wasm } from "./kernels.js";

/** The part of the WebAssembly interface that is used here: it is no part of TypeScript's own library without the browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** What kernels/scan.ts exports. */
interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  scan(codes: number, stride: number, rows: number, scales: number, query: number, out: number): void;
}

const page = 65536;
/** Rows of one call of the kernel: their scores stay in the processor's cache until they were read. */
export const pieceRows = 8192;

interface Stretch {
  readonly at: number;
  readonly length: number;
}

/** Where a matrix of codes lies, and the scales of its rows. */
export interface Matrix {
  readonly codes: number;
  readonly scales: number;
}

/** WebAssembly memory of int8 codes, handed out in stretches; what is given back is used again. At most 4 GB, or `limit`. */
export class CodeMemory {
  readonly stride: number;
  readonly #kernel: Kernel;
  readonly #limit: number;
  readonly #query: number;
  readonly #scores: number;
  #end: number;
  #free: readonly Stretch[] = [];

  constructor(stride: number, limit = 2 ** 31) {
    this.stride = stride;
    this.#limit = Math.min(limit, 65535 * page);
    this.#kernel = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(wasm, "base64"))).exports as Kernel;
    this.#query = 1024;
    this.#scores = this.#query + 2 * stride;
    this.#end = roundUp(this.#scores + 4 * pieceRows);
  }

  /** Bytes that are reserved, in use or free. */
  get size(): number {
    return this.#end;
  }

  /** Room for a matrix of so many rows; undefined beyond the limit. */
  allocate(rows: number): Matrix | undefined {
    const length = this.#bytesOf(rows);
    const fitting = this.#free.find((stretch) => stretch.length >= length);
    if (fitting) {
      const rest = { at: fitting.at + length, length: fitting.length - length };
      this.#free = this.#free.flatMap((stretch) => (stretch !== fitting ? [stretch] : rest.length > 0 ? [rest] : []));
      return this.#matrix(fitting.at, rows);
    }
    if (this.#end + length > this.#limit) return undefined;
    const at = this.#end;
    this.#end += length;
    const { memory } = this.#kernel;
    const lacking = Math.ceil((this.#end - memory.buffer.byteLength) / page);
    if (lacking > 0) memory.grow(lacking);
    return this.#matrix(at, rows);
  }

  release({ codes }: Matrix, rows: number): void {
    const sorted = [...this.#free, { at: codes, length: this.#bytesOf(rows) }].sort((a, b) => a.at - b.at);
    const joined: Stretch[] = [];
    for (const stretch of sorted) {
      const last = joined.at(-1);
      if (last && last.at + last.length === stretch.at) {
        joined[joined.length - 1] = { at: last.at, length: last.length + stretch.length };
      } else joined.push(stretch);
    }
    this.#free = joined;
  }

  /** The codes of rows of a matrix; the view holds until the next `allocate`. */
  codes({ codes }: Matrix, first: number, rows: number): Int8Array {
    return new Int8Array(this.#kernel.memory.buffer, codes + first * this.stride, rows * this.stride);
  }

  /** The scales of rows of a matrix; the view holds until the next `allocate`. */
  scales({ scales }: Matrix, first: number, rows: number): Float32Array {
    return new Float32Array(this.#kernel.memory.buffer, scales + 4 * first, rows);
  }

  /** The query of the following products: `stride` codes. */
  ask(query: Int16Array): void {
    new Int16Array(this.#kernel.memory.buffer, this.#query, query.length).set(query);
  }

  /** Products of at most `pieceRows` rows with the query; the view holds until the next call. */
  products({ codes, scales }: Matrix, first: number, rows: number): Float32Array {
    const at = codes + first * this.stride;
    this.#kernel.scan(at, this.stride, rows, scales + 4 * first, this.#query, this.#scores);
    return new Float32Array(this.#kernel.memory.buffer, this.#scores, rows);
  }

  #bytesOf(rows: number): number {
    return roundUp(rows * (this.stride + 4));
  }

  #matrix(at: number, rows: number): Matrix {
    return { codes: at, scales: at + rows * this.stride };
  }
}

const roundUp = (bytes: number): number => Math.ceil(bytes / 64) * 64;
