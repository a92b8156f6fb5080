import type { Reading } from "../core/reading.js";
import type { Micros } from "../core/time.js";
import type { BlockCut, FrameCut } from "./cut.js";

/** What a span holds, or undefined where it holds nothing at all. */
export type Content =
  | Pick<FrameCut, "kind" | "frames" | "quality">
  | Omit<BlockCut, "sensor" | "modality" | "seq" | "from" | "to">;

/** Holds the readings that coming windows can still need, and no others. */
export interface Store {
  /** Everything before this instant has been seen: a window that ends here is complete. */
  readonly seen: Micros;
  /** Where what was seen ends if nothing more comes. */
  readonly extent: Micros;
  /** False for a reading whose form (channels, rate, kind) differs from what is held. */
  accepts(reading: Reading): boolean;
  /** Adds a reading; the number of readings given up to stay within the bound. */
  add(reading: Reading): number;
  content(from: Micros, to: Micros): Content | undefined;
  /** Lets go of what ends at or before this instant. */
  forget(before: Micros): void;
}
