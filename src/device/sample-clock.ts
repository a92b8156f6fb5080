import { type Micros, micros } from "../core/time.js";

/** A converter that is late for so long, in every block, has lost samples: mere delay would have been caught up. */
const watchUs = 1_000_000;
/** Less than this is jitter of the machine: 40 ms. */
const leastGapUs = 40_000;

/**
 * The time line of a converter that has no clock but its samples: microseconds from its first one, moved on where samples were lost. A loss shows
 * in the arrival alone: for a second, no block came within 40 ms of when it was due by the count.
 */
export class SampleClock {
  readonly #rate: number;
  #samples = 0;
  #skippedUs = 0;
  /** Least of arrival minus count since `since`, and the least before. */
  #recent: { least: number; since: Micros } | undefined;
  #usual = Number.POSITIVE_INFINITY;

  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Samples that never came. */
  get lost(): number {
    return Math.round((this.#skippedUs * this.#rate) / 1e6);
  }

  /** Where on the time line a block of so many samples begins, which arrived now. */
  next(samples: number, now: Micros): number {
    const end = this.#skippedUs + ((this.#samples + samples) * 1e6) / this.#rate;
    const late = now - end;
    this.#recent ??= { least: late, since: now };
    const { least, since } = this.#recent;
    this.#recent = { least: Math.min(least, late), since };
    if (now - since >= watchUs) {
      const gap = this.#recent.least - this.#usual;
      if (gap > leastGapUs) this.#skippedUs += gap;
      else this.#usual = this.#follow(this.#recent.least);
      this.#recent = undefined;
    }
    const begin = micros(this.#skippedUs + (this.#samples * 1e6) / this.#rate);
    this.#samples += samples;
    return begin;
  }

  /** The crystals of converter and host part slowly: what is usual follows, both ways. */
  #follow(least: number): number {
    return Number.isFinite(this.#usual) ? (this.#usual + least) / 2 : least;
  }
}
