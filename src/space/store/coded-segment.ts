import type { CodeMemory, Matrix } from "./code-memory.js";
import { quantize } from "./codes.js";
import { readIndex } from "./index-file.js";
import type { Segment } from "./segment.js";

/** A segment in memory as int8: from its index, or made from its vectors where it has none yet. */
export class CodedSegment {
  readonly segment: Segment;
  readonly memory: CodeMemory;
  #matrix: Matrix;
  /** Rows that there is room for. */
  #room: number;
  #count = 0;
  #errors: Float32Array;
  #order: Uint32Array | undefined;
  #lists: Uint32Array | undefined;
  #centroids = 0;

  private constructor(segment: Segment, memory: CodeMemory, room: number, matrix: Matrix) {
    this.segment = segment;
    this.memory = memory;
    this.#room = room;
    this.#matrix = matrix;
    this.#errors = new Float32Array(room);
  }

  /** Undefined where the memory has no room for it. */
  static open(segment: Segment, memory: CodeMemory): CodedSegment | undefined {
    const matrix = memory.allocate(segment.count);
    if (matrix === undefined) return undefined;
    const coded = new CodedSegment(segment, memory, segment.count, matrix);
    if (!coded.#load()) coded.#encode();
    return coded;
  }

  get count(): number {
    return this.#count;
  }

  /** Bound on how far a row's product is off, by the place where it stands. */
  get errors(): Float32Array {
    return this.#errors;
  }

  get matrix(): Matrix {
    return this.#matrix;
  }

  /** Which row of the segment stands at a place. */
  rowAt(place: number): number {
    return this.#order === undefined ? place : this.#order[place]!;
  }

  /** Places of lists, `[first, end)` each; undefined where the segment has no lists of these centroids. */
  ranges(centroids: number, lists: readonly number[]): readonly (readonly [number, number])[] | undefined {
    const starts = this.#lists;
    if (starts === undefined || this.#centroids !== centroids) return undefined;
    return lists.map((list) => [starts[list]!, starts[list + 1]!] as const);
  }

  /** Takes in rows that were appended since. False where the memory has no room for them. */
  grow(): boolean {
    const { count } = this.segment;
    if (count === this.#count) return true;
    if (count > this.#room) {
      // Twice as much each time: a segment that grows row by row is copied seldom.
      const room = Math.max(count, 2 * this.#room);
      const matrix = this.memory.allocate(room);
      if (matrix === undefined) return false;
      this.memory.codes(matrix, 0, this.#count).set(this.memory.codes(this.#matrix, 0, this.#count));
      this.memory.scales(matrix, 0, this.#count).set(this.memory.scales(this.#matrix, 0, this.#count));
      const errors = new Float32Array(room);
      errors.set(this.#errors);
      this.release();
      [this.#matrix, this.#room, this.#errors] = [matrix, room, errors];
    }
    this.#encode();
    return true;
  }

  release(): void {
    this.memory.release(this.#matrix, this.#room);
  }

  #load(): boolean {
    const index = readIndex(this.segment);
    if (index === undefined) return false;
    this.#count = this.segment.count;
    this.memory.codes(this.#matrix, 0, this.#count).set(index.codes);
    this.memory.scales(this.#matrix, 0, this.#count).set(index.scales);
    // Copies: a view would keep the whole file in memory.
    this.#errors = index.errors.slice();
    this.#order = index.order.slice();
    this.#lists = index.lists.slice();
    this.#centroids = index.centroids;
    return true;
  }

  #encode(): void {
    const { segment } = this;
    const { stride } = this.memory;
    const first = this.#count;
    const vectors = segment.vectors(first);
    const rows = segment.count - first;
    const codes = this.memory.codes(this.#matrix, first, rows);
    const scales = this.memory.scales(this.#matrix, first, rows);
    for (let i = 0; i < rows; i++) {
      const vector = vectors.subarray(i * segment.dim, (i + 1) * segment.dim);
      const { scale, error } = quantize(vector, codes.subarray(i * stride, (i + 1) * stride));
      scales[i] = scale;
      this.#errors[first + i] = error;
    }
    this.#count = segment.count;
  }
}
