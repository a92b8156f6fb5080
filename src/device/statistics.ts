import type { Reading } from "../core/reading.js";
import type { Micros } from "../core/time.js";

/** A step between readings of more than so many usual ones is a gap. */
const gapFactor = 1.5;
const remembered = 4096;

/** What the readings of one device amount to. */
export class ReadingStatistics {
  #samples = 0;
  #last: { reading: Reading; samples: number } | undefined;
  #first: Micros | undefined;
  readonly #steps: number[] = [];
  readings = 0;

  add(reading: Reading): void {
    const samples = reading.kind === "block" ? reading.data.length / reading.channels.length : 1;
    if (this.#last) {
      const { reading: last, samples: width } = this.#last;
      // In units of what the last reading covers, for a block; in microseconds for frames.
      const step = reading.time - last.time;
      if (this.#steps.length < remembered) {
        this.#steps.push(last.kind === "block" ? step / ((width * 1e6) / last.rate) : step);
      }
    }
    this.#first ??= reading.time;
    this.#samples += samples;
    this.#last = { reading, samples };
    this.readings += 1;
  }

  /** Frames, or samples of a block, a second of event time. */
  get rateHz(): number | undefined {
    if (!this.#last || this.#first === undefined || this.#last.reading.time <= this.#first) return undefined;
    const span = (this.#last.reading.time - this.#first) / 1e6;
    return Number(((this.#samples - this.#last.samples) / span).toPrecision(6));
  }

  /** Steps between readings that are longer than usual by half or more. */
  get gaps(): number {
    const usual =
      this.#last?.reading.kind === "block" ? 1 : this.#steps.toSorted((a, b) => a - b)[this.#steps.length >> 1];
    return usual === undefined ? 0 : this.#steps.filter((step) => step > gapFactor * usual).length;
  }
}
