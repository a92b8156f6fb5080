import { type Modality, modalities } from "../../core/modality.js";
import type { Micros } from "../../core/time.js";
import { rowBytes } from "./row.js";
import type { Segment } from "./segment.js";

export interface SearchFilter {
  readonly sensor?: string;
  readonly modality?: Modality;
  /** Rows that overlap `[since, until)`. */
  readonly since?: Micros;
  readonly until?: Micros;
}

/** The rows of a segment that a filter lets pass; `sensors` are the store's names, in the order of their numbers. */
export function rowFilter(
  segment: Segment,
  { sensor, modality, since, until }: SearchFilter,
  sensors: readonly string[],
): (row: number) => boolean {
  const { rows } = segment;
  const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
  const wantedSensor = sensor === undefined ? undefined : sensors.indexOf(sensor);
  const wantedModality = modality === undefined ? undefined : modalities.indexOf(modality);
  return (row) => {
    const at = row * rowBytes;
    if (wantedSensor !== undefined && view.getUint16(at + 4, true) !== wantedSensor) return false;
    if (wantedModality !== undefined && view.getUint8(at + 6) !== wantedModality) return false;
    if (until !== undefined && time(view, at + 8) >= until) return false;
    return since === undefined || time(view, at + 16) > since;
  };
}

/** An int64 of microseconds: below 2^53 for the next 250 years. */
const time = (view: DataView, at: number): number => view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
