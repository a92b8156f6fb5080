import { type Block, endOf, type Reading } from "../core/reading.js";
import { type Duration, type Hertz, type Micros, micros } from "../core/time.js";
import type { Content, Store } from "./store.js";

/** A window of more values than this is refused: a block's claimed rate must not decide how much memory is taken. */
const MAX_WINDOW_VALUES = 64 * 2 ** 20;

/** Jitter of a block's time that is taken for continuity, in seconds: half a block, but never more than this. */
const MAX_JITTER_S = 0.05;

/** Blocks of one stream in the order of their event time, and the arrays without holes that windows get from them. */
export class BlockStore implements Store {
  readonly #channels: readonly string[];
  readonly #rate: Hertz;
  readonly #fill: "zero" | "interpolate";
  readonly #windowValues: number;
  #blocks: Block[] = [];
  #seen: number = Number.NEGATIVE_INFINITY;

  constructor(first: Block, length: Duration) {
    this.#channels = first.channels;
    this.#rate = first.rate;
    this.#fill = first.modality === "audio" ? "zero" : "interpolate";
    this.#windowValues = (length / 1e6) * first.rate * first.channels.length;
  }

  /** Half a sample early, so that a block whose time was rounded still completes its window. */
  get seen(): Micros {
    return micros(this.#seen + 5e5 / this.#rate);
  }

  get extent(): Micros {
    return micros(this.#seen);
  }

  accepts(reading: Reading): boolean {
    return (
      reading.kind === "block" &&
      reading.rate === this.#rate &&
      reading.channels.length === this.#channels.length &&
      reading.channels.every((name, c) => name === this.#channels[c])
    );
  }

  add(reading: Reading): number {
    const block = reading as Block;
    const after = this.#blocks.findLastIndex((held) => held.time <= block.time);
    this.#blocks.splice(after + 1, 0, block);
    this.#seen = Math.max(this.#seen, endOf(block));
    return this.#bound(block);
  }

  /** Blocks that overlap without end (a source whose clock stands still) give way, oldest first. */
  #bound(newest: Block): number {
    let values = this.#blocks.reduce((sum, { data }) => sum + data.length, 0);
    let given = 0;
    for (; values > 2 * (this.#windowValues + newest.data.length) && this.#blocks.length > 1; given++) {
      values -= this.#blocks.shift()!.data.length;
    }
    return given;
  }

  content(from: Micros, to: Micros): Content | undefined {
    const steps = Math.round(((to - from) * this.#rate) / 1e6);
    const data = new Float32Array(steps * this.#channels.length);
    const known = new Uint8Array(steps);
    this.#place(from, data, known);
    const width = this.#channels.length;
    let real = 0;
    for (let t = 0; t < steps; t++) {
      for (let i = t * width; known[t] && i < (t + 1) * width; i++) if (!Number.isFinite(data[i])) known[t] = 0;
      real += known[t]!;
    }
    if (real === 0) return undefined;
    if (real < steps) fillGaps(data, known, this.#fill);
    return {
      kind: "block",
      channels: this.#channels,
      rate: this.#rate,
      data,
      quality: { coverage: real / steps },
    };
  }

  forget(before: Micros): void {
    const first = this.#blocks.findIndex((block) => endOf(block) > before);
    this.#blocks = first < 0 ? [] : this.#blocks.slice(first);
  }

  /**
   * A block goes to the position that its time says, unless that differs from the end of the one before by less than its
   * time can be trusted: then it continues there, so that jitter neither opens holes nor overwrites samples.
   */
  #place(from: Micros, data: Float32Array, known: Uint8Array): void {
    const width = this.#channels.length;
    let cursor: number | undefined;
    for (const block of this.#blocks) {
      const samples = block.data.length / width;
      const slack = Math.max(2, Math.min(samples / 2, MAX_JITTER_S * this.#rate));
      let start = Math.round(((block.time - from) * this.#rate) / 1e6);
      if (cursor !== undefined && Math.abs(start - cursor) <= slack) start = cursor;
      cursor = start + samples;
      const skip = Math.max(0, -start);
      const count = Math.min(samples, known.length - start) - skip;
      if (count <= 0) continue;
      data.set(block.data.subarray(skip * width, (skip + count) * width), (start + skip) * width);
      known.fill(1, start + skip, start + skip + count);
    }
  }
}

/** True for a block whose form makes sense and of which a window of this length is neither empty nor enormous. */
export function usable(block: Block, length: Duration): boolean {
  const { rate, data } = block;
  const width = block.channels.length;
  const steps = (length / 1e6) * rate;
  return (
    rate > 0 &&
    width > 0 &&
    data.length > 0 &&
    data.length % width === 0 &&
    steps >= 1 &&
    steps * width <= MAX_WINDOW_VALUES
  );
}

/** Fills unknown rows: with zeros, or along a straight line between their neighbours (held at the edges). Allocates nothing. */
function fillGaps(data: Float32Array, known: Uint8Array, fill: "zero" | "interpolate"): void {
  const steps = known.length;
  const width = data.length / steps;
  for (let t = 0; t < steps; t++) {
    if (known[t]) continue;
    let end = t;
    while (end < steps && !known[end]) end++;
    for (let c = 0; c < width; c++) {
      const right = end < steps ? data[end * width + c]! : data[(t - 1) * width + c]!;
      const left = t > 0 ? data[(t - 1) * width + c]! : right;
      for (let u = t; u < end; u++) {
        data[u * width + c] = fill === "zero" ? 0 : left + ((right - left) * (u - t + 1)) / (end - t + 1);
      }
    }
    t = end;
  }
}
