import type { UnitVector } from "../../core/embedding.js";
import { rowFilter, type SearchFilter } from "./filter.js";
import type { Store } from "./store.js";
import { VectorReader } from "./vector-reader.js";

/** The first `most` stored vectors that a filter lets pass, in the order in which they were stored. */
export function stored(store: Store, filter: SearchFilter, most: number): readonly UnitVector[] {
  using reader = new VectorReader(store.dim);
  const found: UnitVector[] = [];
  for (const segment of store.segments) {
    const passes = rowFilter(segment, filter, store.sensors);
    for (let row = 0; row < segment.count && found.length < most; row++) {
      if (passes(row)) found.push(reader.vector(segment, row));
    }
  }
  return found;
}
