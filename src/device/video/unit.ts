import type { Micros } from "../../core/time.js";

/** One picture of an encoded stream: an H.264 access unit in Annex B form, with its event time. */
export interface VideoUnit {
  readonly data: Uint8Array;
  readonly time: Micros;
}
