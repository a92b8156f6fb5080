import type { EncodedFrame, Frame, Reading } from "../core/reading.js";
import { type Micros, micros } from "../core/time.js";
import type { Content, Store } from "./store.js";

/** Times that tell a camera's usual interval. */
const INTERVALS = 9;

/** More frames than this in one window are not counted one by one. */
const MAX_TIMES = 10_000;

/** Frames of one stream; a window gets the newest of its span, or up to `keep` spread over it. */
export class FrameStore implements Store {
  readonly #keep: number;
  #frames: (Frame | EncodedFrame)[] = [];
  #times: number[] = [];
  #seen: number = Number.NEGATIVE_INFINITY;

  constructor(keep: number) {
    this.#keep = keep;
  }

  /** A frame is the picture until the next one: the last is taken to last as long as frames of this camera usually do. */
  get seen(): Micros {
    return micros(this.#seen);
  }

  /** The instant at which the last frame would end if the next came on time. */
  get extent(): Micros {
    return micros(this.#seen + this.#interval());
  }

  accepts(reading: Reading): boolean {
    return reading.kind !== "block";
  }

  add(reading: Reading): number {
    const frame = reading as Frame | EncodedFrame;
    const after = this.#frames.findLastIndex((held) => held.time <= frame.time);
    this.#frames.splice(after + 1, 0, frame);
    this.#seen = Math.max(this.#seen, frame.time);
    const at = this.#times.findLastIndex((time) => time <= frame.time);
    this.#times.splice(at + 1, 0, frame.time);
    if (this.#times.length > MAX_TIMES) this.#times.shift();
    return this.#thin();
  }

  content(from: Micros, to: Micros): Content | undefined {
    const frames = this.#frames.filter((frame) => frame.time >= from && frame.time < to);
    if (frames.length === 0) return undefined;
    const seen = this.#times.filter((time) => time >= from && time < to).length;
    const coverage = Math.min(1, (seen * (this.#interval() || to - from)) / (to - from));
    return { kind: "frames", frames: this.#keep === 1 ? frames.slice(-1) : frames, quality: { coverage } };
  }

  forget(before: Micros): void {
    this.#frames = this.#frames.filter((frame) => frame.time >= before);
    this.#times = this.#times.filter((time, i) => time >= before || i >= this.#times.length - INTERVALS);
  }

  /**
   * Where only the newest frame is wanted, older ones go at once: every window that could have used them is complete.
   * Else the frame nearest to its neighbours goes, so that what stays is spread over the span with both its ends.
   */
  #thin(): number {
    if (this.#keep === 1) {
      this.#frames = this.#frames.slice(-1);
      return 0;
    }
    let given = 0;
    for (; this.#frames.length > Math.max(this.#keep, 2); given++) {
      let closest = 1;
      for (let i = 2; i < this.#frames.length - 1; i++) if (this.#span(i) < this.#span(closest)) closest = i;
      this.#frames.splice(closest, 1);
    }
    return given;
  }

  #span(i: number): number {
    return this.#frames[i + 1]!.time - this.#frames[i - 1]!.time;
  }

  /** Median of the last intervals, in microseconds; 0 while there is none. */
  #interval(): number {
    const last = this.#times.slice(-INTERVALS);
    const intervals = last.slice(1).map((time, i) => time - last[i]!);
    return intervals.sort((a, b) => a - b)[intervals.length >> 1] ?? 0;
  }
}
