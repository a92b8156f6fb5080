import { closeSync, openSync, readSync } from "node:fs";
import type { UnitVector } from "../../core/embedding.js";
import type { Segment } from "./segment.js";

/** Reads single vectors of segments from the disk, each file opened once. */
export class VectorReader implements Disposable {
  readonly #files = new Map<Segment, number>();
  readonly #vector: Float32Array;
  readonly #bytes: Uint8Array;

  constructor(dim: number) {
    this.#vector = new Float32Array(dim);
    this.#bytes = new Uint8Array(this.#vector.buffer);
  }

  /** A copy of a stored vector. */
  vector(segment: Segment, row: number): UnitVector {
    this.#read(segment, row);
    return this.#vector.slice() as UnitVector;
  }

  /** Cosine of a stored vector with a query. Allocates nothing. */
  cosine(segment: Segment, row: number, query: UnitVector): number {
    this.#read(segment, row);
    let sum = 0;
    for (let i = 0; i < query.length; i++) sum += this.#vector[i]! * query[i]!;
    return sum;
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }

  #read(segment: Segment, row: number): void {
    let file = this.#files.get(segment);
    if (file === undefined) {
      file = openSync(`${segment.path}.f32`, "r");
      this.#files.set(segment, file);
    }
    readSync(file, this.#bytes, 0, this.#bytes.length, row * this.#bytes.length);
  }
}
