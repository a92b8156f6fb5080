import { setImmediate as breathe } from "node:timers/promises";
import type { UnitVector } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import type { Micros } from "../../core/time.js";
import type { CodedSegment } from "./coded-segment.js";
import { quantizeQuery, strideOf } from "./codes.js";
import { rowFilter, type SearchFilter } from "./filter.js";
import { type Candidate, Sieve } from "./sieve.js";
import type { Store } from "./store.js";
import { VectorReader } from "./vector-reader.js";

export type { SearchFilter };

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

export interface SearchOptions {
  readonly top: number;
  readonly filter?: SearchFilter | undefined;
  /** Every row counts, also in a store that is large enough for lists: slower, and never a miss. */
  readonly exact?: boolean;
  /** How many lists an approximate search looks into. */
  readonly probes?: number;
  /** Bytes of codes beyond which a search is approximate. */
  readonly approximateFrom?: number;
}

/** Up to this many bytes of codes all of them are looked at: 8 ms of one core (test/bench/search.ts). */
export const exactBytes = 128e6;

/**
 * The stored embeddings nearest to a query. Exact up to `exactBytes` of codes, where a filter is given and where asked for:
 * int8 codes say which rows may be among the best, their float32 vectors decide. Beyond that only the lists most like the
 * query are looked at, once they were built. Throws `BAD_ARGUMENT` for a query of another dimension.
 */
export async function search(store: Store, query: UnitVector, options: SearchOptions): Promise<Hit[]> {
  if (query.length !== store.dim) {
    throw new SenseError("BAD_ARGUMENT", `the query has ${query.length} dimensions, the store ${store.dim}`, {
      hint: "Encode the query with the bundle that the store was filled with.",
    });
  }
  const { index } = store;
  const { filter, top } = options;
  const coded = quantizeQuery(query);
  const sieve = new Sieve(coded, top);
  const ranges = rangesOf(store, query, options);
  index.keep(store.segments);
  for (const segment of store.segments) {
    if (segment.count === 0) continue;
    const part = index.of(segment);
    part.memory.ask(coded.codes);
    const passes = filter && rowFilter(segment, filter, store.sensors);
    for (const range of ranges(part)) sieve.take(part, range, passes);
    await breathe();
  }
  return nearest(store, query, { candidates: sieve.candidates, top });
}

/** Lists that an approximate search looks into unless told otherwise. */
const usualProbes = 32;

/** Which places of a segment are looked at: all, or the lists that are most like the query. */
function rangesOf(
  store: Store,
  query: UnitVector,
  { filter, exact = false, probes = usualProbes, approximateFrom = exactBytes }: SearchOptions,
): (part: CodedSegment) => readonly (readonly [number, number])[] {
  const small = store.count * strideOf(store.dim) <= approximateFrom;
  const centroids = exact || filter || small ? undefined : store.index.centroids;
  if (centroids === undefined) return (part) => [[0, part.count]];
  const lists = centroids.best(query, probes);
  // A segment that is still being written has no lists.
  return (part) => part.ranges(centroids.id, lists) ?? [[0, part.count]];
}

interface Ranked extends Candidate {
  readonly score: number;
}

/** The best of the candidates by their vectors on disk; ties go to what was stored first. */
function nearest(
  store: Store,
  query: UnitVector,
  { candidates, top }: { readonly candidates: readonly Candidate[]; readonly top: number },
): Hit[] {
  using reader = new VectorReader(store.dim);
  const order = new Map(store.segments.map((segment, i) => [segment, i]));
  const before = (a: Ranked, b: Ranked): number =>
    b.score - a.score || order.get(a.segment)! - order.get(b.segment)! || a.row - b.row;
  const best: Ranked[] = [];
  for (const candidate of candidates) {
    if (best.length === top && candidate.upper < best.at(-1)!.score) break;
    const ranked = { ...candidate, score: reader.cosine(candidate.segment, candidate.row, query) };
    let at = best.length;
    while (at > 0 && before(best[at - 1]!, ranked) > 0) at--;
    best.splice(at, 0, ranked);
    if (best.length > top) best.pop();
  }
  return best.map(({ segment, row, score }) => {
    const { sensor, ...rest } = segment.row(row);
    return { sensor: store.sensorName(sensor), ...rest, score };
  });
}
