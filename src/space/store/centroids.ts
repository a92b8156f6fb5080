import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { normalize, type UnitVector } from "../../core/embedding.js";
import { shuffle } from "../../core/random.js";
import { CodeMemory, type Matrix, pieceRows } from "./code-memory.js";
import { quantize, quantizeQuery, strideOf } from "./codes.js";

/** The middles of the lists that an approximate search chooses from, all of one space. */
export class Centroids {
  readonly dim: number;
  readonly count: number;
  /** What tells them from others. */
  readonly id: number;
  readonly #values: Float32Array;
  readonly #memory: CodeMemory;
  readonly #matrix: Matrix;

  constructor(values: Float32Array, dim: number) {
    this.#values = values;
    this.dim = dim;
    this.count = values.length / dim;
    this.id = crc32(bytesOf(values));
    this.#memory = new CodeMemory(strideOf(dim));
    this.#matrix = this.#memory.allocate(this.count)!;
    const codes = this.#memory.codes(this.#matrix, 0, this.count);
    const scales = this.#memory.scales(this.#matrix, 0, this.count);
    for (let i = 0; i < this.count; i++) {
      const { stride } = this.#memory;
      scales[i] = quantize(this.vector(i), codes.subarray(i * stride, (i + 1) * stride)).scale;
    }
  }

  vector(index: number): Float32Array {
    return this.#values.subarray(index * this.dim, (index + 1) * this.dim);
  }

  /** Products of a vector with every centroid, up to a factor. Allocates its result. */
  products(vector: UnitVector): Float32Array {
    this.#memory.ask(quantizeQuery(vector).codes);
    const out = new Float32Array(this.count);
    for (let first = 0; first < this.count; first += pieceRows) {
      out.set(this.#memory.products(this.#matrix, first, Math.min(pieceRows, this.count - first)), first);
    }
    return out;
  }

  /** The list that a vector belongs to. */
  nearest(vector: UnitVector): number {
    const products = this.products(vector);
    let winner = 0;
    for (let i = 1; i < products.length; i++) if (products[i]! > products[winner]!) winner = i;
    return winner;
  }

  /** The lists that are most like a vector, the best first. */
  best(vector: UnitVector, count: number): readonly number[] {
    const products = this.products(vector);
    return [...products.keys()].sort((a, b) => products[b]! - products[a]!).slice(0, count);
  }

  /** Written beside and renamed. */
  save(folder: string): void {
    const head = Uint32Array.of(magic, this.dim, this.count, this.id);
    writeFileSync(join(folder, `${file}.new`), Buffer.concat([bytesOf(head), bytesOf(this.#values)]));
    renameSync(join(folder, `${file}.new`), join(folder, file));
  }

  /** Those of a store; undefined where there are none, or damaged ones. */
  static load(folder: string, dim: number): Centroids | undefined {
    if (!existsSync(join(folder, file))) return undefined;
    const bytes = Uint8Array.from(readFileSync(join(folder, file)));
    if (bytes.length < 16) return undefined;
    const [found, foundDim, count, id] = new Uint32Array(bytes.buffer, 0, 4) as unknown as readonly number[];
    if (found !== magic || foundDim !== dim || bytes.length !== 16 + 4 * dim * count!) return undefined;
    if (crc32(bytes.subarray(16)) !== id) return undefined;
    return new Centroids(new Float32Array(bytes.buffer, 16), dim);
  }
}

const file = "centroids.f32";
const magic = 0x31544e43;
const rounds = 6;

const bytesOf = (part: Float32Array | Uint32Array): Uint8Array =>
  new Uint8Array(part.buffer, part.byteOffset, part.byteLength);

/** Spherical k-means (Dhillon and Modha 2001) of a sample; a centroid that nothing is near to begins anew at a random vector. */
export function train(sample: readonly UnitVector[], count: number, random: () => number): Centroids {
  const dim = sample[0]!.length;
  let values = new Float32Array(count * dim);
  for (const [i, vector] of shuffle(sample, random).slice(0, count).entries()) values.set(vector, i * dim);
  for (let round = 0; round < rounds; round++) {
    const before = new Centroids(values, dim);
    const sums = new Float32Array(count * dim);
    const sizes = new Uint32Array(count);
    for (const vector of sample) {
      const list = before.nearest(vector);
      sizes[list]! += 1;
      for (let i = 0; i < dim; i++) sums[list * dim + i]! += vector[i]!;
    }
    for (let list = 0; list < count; list++) {
      const sum = sums.subarray(list * dim, (list + 1) * dim);
      const nowhere = sizes[list] === 0 || sum.every((value) => Math.abs(value) < 1e-9);
      sum.set(nowhere ? sample[Math.floor(random() * sample.length)]! : normalize(sum));
    }
    values = sums;
  }
  return new Centroids(values, dim);
}
