import type { Modality } from "./modality.js";
import type { Tensor } from "./tensor.js";
import type { Micros } from "./time.js";

/** What makes a window say nothing of the world: see window/faults.ts. */
export type Fault = "dark" | "empty" | "shutter" | "silent" | "clipped" | "stuck";

/** How far a window can be trusted. */
export interface WindowQuality {
  /** Share of the window's span that real samples cover, 0..1. */
  readonly coverage: number;
  /** None where it was looked for and not found. */
  readonly faults?: readonly Fault[];
}

/** A span `[from, to)` of one sensor, cut on event time and preprocessed: tensors ready for an encoder, by input name. */
export interface Window {
  readonly sensor: string;
  readonly modality: Modality;
  /** Counts the windows of this sensor from 0. */
  readonly seq: number;
  readonly from: Micros;
  readonly to: Micros;
  /** The first axis of every tensor is the clip: an encoder's outputs over clips are averaged. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly quality: WindowQuality;
}
