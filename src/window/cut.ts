import type { Modality } from "../core/modality.js";
import type { EncodedFrame, Frame } from "../core/reading.js";
import type { Hertz, Micros } from "../core/time.js";
import type { WindowQuality } from "../core/window.js";

interface CutBase {
  readonly sensor: string;
  readonly modality: Exclude<Modality, "text">;
  /** Counts the cuts of this sensor from 0. */
  readonly seq: number;
  readonly from: Micros;
  readonly to: Micros;
  readonly quality: WindowQuality;
}

/** The frames of a span, oldest first; the newest one only unless more were asked for. */
export interface FrameCut extends CutBase {
  readonly kind: "frames";
  readonly frames: readonly (Frame | EncodedFrame)[];
}

/** The samples of a span at the sensor's own rate, without holes: interleaved, `data[t * channels.length + c]`. */
export interface BlockCut extends CutBase {
  readonly kind: "block";
  readonly channels: readonly string[];
  readonly rate: Hertz;
  readonly data: Float32Array;
}

/** A span `[from, to)` of one sensor's raw readings, before preprocessing. */
export type Cut = FrameCut | BlockCut;

/** What `slide` lost and why, counted by it into an object of the caller's. */
export interface SlideCounters {
  /** Readings that never arrived: jumps in the sensor's numbering. */
  lost: number;
  /** Readings older than the window being filled. */
  late: number;
  /** Readings that no window can use: malformed, or more than the buffer holds. */
  dropped: number;
  /** Windows not yielded because too little of their span was there. */
  skipped: number;
  /** Times the grid of windows started anew after a jump in time or a change of the stream's form. */
  gaps: number;
}

/** Counters at zero. */
export const slideCounters = (): SlideCounters => ({ lost: 0, late: 0, dropped: 0, skipped: 0, gaps: 0 });
