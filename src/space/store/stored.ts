import type { UnitVector } from "../../core/embedding.js";
import type { Modality } from "../../core/modality.js";
import type { Micros } from "../../core/time.js";
import { rowFilter, type SearchFilter } from "./filter.js";
import type { Store } from "./store.js";
import { VectorReader } from "./vector-reader.js";

/** A stored embedding, with its vector. */
export interface Stored {
  readonly sensor: string;
  readonly modality: Modality;
  readonly seq: number;
  readonly from: Micros;
  readonly to: Micros;
  readonly vector: UnitVector;
}

/** What is stored and passes a filter, in the order in which it was stored. */
export function* stored(store: Store, filter: SearchFilter = {}): Generator<Stored> {
  using reader = new VectorReader(store.dim);
  for (const segment of store.segments) {
    const passes = rowFilter(segment, filter, store.sensors);
    for (let index = 0; index < segment.count; index++) {
      if (!passes(index)) continue;
      const { sensor, ...row } = segment.row(index);
      yield { sensor: store.sensorName(sensor), ...row, vector: reader.vector(segment, index) };
    }
  }
}
