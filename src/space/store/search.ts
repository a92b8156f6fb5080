import type { UnitVector } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import type { Micros } from "../../core/time.js";
import type { Segment } from "./segment.js";
import type { Store } from "./store.js";

/** A stored embedding that is near a query. */
export interface Hit {
  readonly sensor: string;
  readonly modality: Modality;
  readonly seq: number;
  readonly from: Micros;
  readonly to: Micros;
  /** Cosine with the query. */
  readonly score: number;
}

export interface SearchFilter {
  readonly sensor?: string;
  readonly modality?: Modality;
  /** Rows that overlap `[since, until)`. */
  readonly since?: Micros;
  readonly until?: Micros;
}

/** Cosines of a query with every row of a segment, in order. */
export type Scorer = (segment: Segment, query: UnitVector) => Promise<Float32Array> | Float32Array;

/** The scorer that needs nothing: one dot product after the other. Allocates only its result. */
export const plainScorer: Scorer = (segment, query) => {
  const vectors = segment.vectors();
  const scores = new Float32Array(segment.count);
  for (let row = 0, at = 0; row < scores.length; row++) {
    let sum = 0;
    for (let i = 0; i < query.length; i++, at++) sum += vectors[at]! * query[i]!;
    scores[row] = sum;
  }
  return scores;
};

export interface SearchOptions {
  readonly top: number;
  readonly filter?: SearchFilter;
  readonly scorer?: Scorer;
}

interface Candidate {
  readonly segment: Segment;
  readonly index: number;
  readonly score: number;
}

/** Keeps the `top` best of what it is shown, best first; ties go to what came first. */
class Best {
  readonly list: Candidate[] = [];
  readonly #top: number;

  constructor(top: number) {
    this.#top = top;
  }

  get bar(): number {
    return this.list.length < this.#top ? Number.NEGATIVE_INFINITY : this.list.at(-1)!.score;
  }

  add(candidate: Candidate): void {
    let at = this.list.length;
    while (at > 0 && this.list[at - 1]!.score < candidate.score) at--;
    this.list.splice(at, 0, candidate);
    if (this.list.length > this.#top) this.list.pop();
  }
}

function passes(store: Store, segment: Segment, index: number, filter: SearchFilter): boolean {
  const row = segment.row(index);
  if (filter.sensor !== undefined && store.sensorName(row.sensor) !== filter.sensor) return false;
  if (filter.modality !== undefined && row.modality !== filter.modality) return false;
  return (
    !(filter.since !== undefined && row.to <= filter.since) && !(filter.until !== undefined && row.from >= filter.until)
  );
}

/** The stored embeddings nearest to a query, exact. Throws `BAD_ARGUMENT` for a query of another dimension. */
export async function search(store: Store, query: UnitVector, options: SearchOptions): Promise<Hit[]> {
  const { top, filter, scorer = plainScorer } = options;
  if (query.length !== store.dim) {
    throw new SenseError("BAD_ARGUMENT", `the query has ${query.length} dimensions, the store ${store.dim}`, {
      hint: "Encode the query with the bundle that the store was filled with.",
    });
  }
  const best = new Best(top);
  for (const segment of store.segments) {
    if (segment.count === 0) continue;
    const scores = await scorer(segment, query);
    for (let index = 0; index < scores.length; index++) {
      const score = scores[index]!;
      if (score > best.bar && (!filter || passes(store, segment, index, filter))) best.add({ segment, index, score });
    }
  }
  return best.list.map(({ segment, index, score }) => {
    const { sensor, ...row } = segment.row(index);
    return { sensor: store.sensorName(sensor), ...row, score };
  });
}
