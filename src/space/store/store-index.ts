import { Centroids } from "./centroids.js";
import { CodeMemory } from "./code-memory.js";
import { CodedSegment } from "./coded-segment.js";
import { strideOf } from "./codes.js";
import type { Segment } from "./segment.js";

/** The rows of a store as int8 in memory, a quarter of what they take on disk. */
export class StoreIndex {
  readonly memory: CodeMemory;
  readonly #folder: string;
  readonly #dim: number;
  readonly #coded = new Map<Segment, CodedSegment>();
  #centroids: Centroids | undefined;
  #looked = false;

  constructor(folder: string, dim: number, limit?: number) {
    this.#folder = folder;
    this.#dim = dim;
    this.memory = new CodeMemory(strideOf(dim), limit);
  }

  /** Middles of the lists; undefined where the store has no index yet. */
  get centroids(): Centroids | undefined {
    if (!this.#looked) this.#centroids = Centroids.load(this.#folder, this.#dim);
    this.#looked = true;
    return this.#centroids;
  }

  /** Gives up what is in memory of segments that the store gave up. */
  keep(segments: readonly Segment[]): void {
    for (const [segment, coded] of this.#coded) {
      if (segments.includes(segment)) continue;
      coded.release();
      this.#coded.delete(segment);
    }
  }

  /** A segment as int8. One that the memory has no room for is read anew for each search. */
  of(segment: Segment): CodedSegment {
    const known = this.#coded.get(segment);
    if (known?.grow()) return known;
    if (known) this.#forget(segment, known);
    const opened = CodedSegment.open(segment, this.memory);
    if (opened) {
      this.#coded.set(segment, opened);
      return opened;
    }
    return CodedSegment.open(segment, new CodeMemory(this.memory.stride))!;
  }

  /** What was built since is read by the next search. */
  refresh(): void {
    for (const [segment, coded] of this.#coded) this.#forget(segment, coded);
    this.#looked = false;
  }

  #forget(segment: Segment, coded: CodedSegment): void {
    coded.release();
    this.#coded.delete(segment);
  }
}
