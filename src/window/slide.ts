import { endOf, type Reading, type SensorReading } from "../core/reading.js";
import { type Duration, type Micros, micros } from "../core/time.js";
import { BlockStore, usable } from "./block-store.js";
import { type Cut, type SlideCounters, slideCounters } from "./cut.js";
import { FrameStore } from "./frame-store.js";
import { Grid } from "./grid.js";
import type { Store } from "./store.js";

export interface SlideOptions {
  readonly length: Duration;
  readonly hop: Duration;
  /**
   * `fill`: holes are filled (audio: zeros; other samples: a straight line) and the window is yielded if at least
   * `coverage` of it is real; `skip`: a window with a hole is not yielded.
   */
  readonly gaps?: "skip" | "fill";
  /** Least share of a filled window that must be real, 0..1. */
  readonly coverage?: number;
  /** At the end of a stream in which no window was complete, yields what there is, up to its end and no further. */
  readonly partial?: boolean;
  /** Frames of a camera that a window may hold, spread over its span; 1 is the newest only. */
  readonly frames?: number;
  /** A step in time of more than this starts the grid anew; ten windows, and at least ten seconds, unless given. */
  readonly restart?: Duration;
  readonly counters?: SlideCounters;
}

/** A window without holes may still lack the samples that rounding and jitter cost at its ends. */
const WHOLE = 0.98;

/**
 * Cuts one sensor's readings into spans `[from, from + length)`, one every `hop`, on event time, on a grid that starts at
 * the first reading. A last, partial span is not yielded. What is held is bounded by the length of a window, whatever
 * times and rates the readings claim; every loss is counted.
 */
export async function* slide(readings: AsyncIterable<SensorReading>, options: SlideOptions): AsyncGenerator<Cut> {
  const cutter = new Cutter(options);
  for await (const reading of readings) yield* cutter.add(reading);
  yield* cutter.end();
}

/** The state of `slide`: the grid of windows and what coming windows can still need. */
class Cutter {
  readonly #options: SlideOptions;
  readonly #counters: SlideCounters;
  readonly #minimum: number;
  readonly #restart: number;
  #store: Store | undefined;
  #grid: Grid;
  #last: SensorReading | undefined;
  #seq = 0;

  constructor(options: SlideOptions) {
    const { length, gaps = "fill", coverage = 0.5, counters = slideCounters() } = options;
    this.#options = options;
    this.#counters = counters;
    this.#minimum = gaps === "skip" ? WHOLE : coverage;
    this.#restart = options.restart ?? Math.max(10 * length, 10e6);
    this.#grid = new Grid(micros(0), options);
  }

  *add(arrived: SensorReading): Generator<Cut> {
    const { reading, seq } = arrived;
    if (this.#last && seq > this.#last.seq + 1) this.#counters.lost += seq - this.#last.seq - 1;
    this.#last = arrived;
    // Beyond the safe integers a hop would not move the grid; NaN is not within them either.
    const timed = Math.abs(reading.time) <= Number.MAX_SAFE_INTEGER;
    if (!timed || (reading.kind === "block" && !usable(reading, this.#options.length))) {
      this.#counters.dropped++;
      return;
    }
    const store = this.#storeFor(reading);
    const before = reading.kind === "block" ? endOf(reading) <= this.#grid.from : reading.time < this.#grid.from;
    if (before && reading.time < store.seen) {
      this.#counters.late++;
      return;
    }
    // Windows that end before a frame must be cut while the frame before it is still held.
    if (reading.kind !== "block") yield* this.#complete(reading.time);
    this.#counters.dropped += store.add(reading);
    yield* this.#complete(store.seen);
  }

  *end(): Generator<Cut> {
    if (!this.#store) return;
    yield* this.#complete(this.#store.extent);
    if (this.#options.partial && this.#seq === 0) yield* this.#cut(0, this.#store.extent);
  }

  #storeFor(reading: Reading): Store {
    const jump = this.#store ? reading.time - this.#store.extent : 0;
    if (this.#store?.accepts(reading) && Math.abs(jump) <= this.#restart) return this.#store;
    if (this.#store) {
      this.#counters.gaps++;
      this.#counters.skipped += Math.max(0, Math.floor(jump / this.#options.hop));
    }
    const { length, frames = 1 } = this.#options;
    this.#store = reading.kind === "block" ? new BlockStore(reading, length) : new FrameStore(frames);
    this.#grid = new Grid(reading.time, this.#options);
    return this.#store;
  }

  *#complete(seen: Micros): Generator<Cut> {
    while (this.#grid.to <= seen) {
      yield* this.#cut(this.#minimum);
      this.#grid.next();
      this.#store?.forget(this.#grid.from);
    }
  }

  *#cut(minimum: number, to: Micros = this.#grid.to): Generator<Cut> {
    const { from } = this.#grid;
    const content = this.#store?.content(from, to);
    if (!content || content.quality.coverage < minimum) {
      this.#counters.skipped++;
      return;
    }
    const { sensor, reading } = this.#last!;
    yield { sensor, modality: reading.modality, seq: this.#seq++, from, to, ...content };
  }
}
