import { type Clock, type Duration, type Micros, micros } from "../core/time.js";
import { ClockEstimator, SteadyTime } from "./clock.js";
import type { ClockFacts, DeviceFacts } from "./define.js";

export interface LiveTimeOptions {
  readonly clock: Clock;
  /** Known delay from the instant of measuring to the timestamp or the arrival. */
  readonly latency: Duration;
  readonly tell: (facts: DeviceFacts) => void;
  /** A stream counts its timestamps from anywhere: only how its offset changes means something, and is what is told. */
  readonly origin?: "stream" | "epoch";
}

/** Event times of a live stream: its own timestamps mapped to the host's clock, or arrival where it has none. */
export class LiveTime {
  readonly #options: LiveTimeOptions;
  readonly #estimator = new ClockEstimator();
  readonly #steady = new SteadyTime();
  #told = Number.NEGATIVE_INFINITY;
  #firstOffset: number | undefined;

  constructor(options: LiveTimeOptions) {
    this.#options = options;
  }

  /** The event time of what just came; `media` is its own timestamp in microseconds. */
  of(media: number | undefined): Micros {
    const now = this.#options.clock.now();
    const time = media === undefined ? now : this.#estimator.add(media, now);
    if (now - this.#told >= 1e6) {
      this.#told = now;
      const arrival = { offsetUs: 0, driftPpm: 0, source: "arrival" as const };
      this.#options.tell({ clock: media === undefined ? arrival : this.#facts });
    }
    return micros(time - this.#options.latency);
  }

  get #facts(): ClockFacts {
    const facts = this.#estimator.facts;
    this.#firstOffset ??= facts.offsetUs;
    const origin = this.#options.origin === "epoch" ? 0 : this.#firstOffset;
    return { ...facts, offsetUs: facts.offsetUs - origin };
  }

  /** The same for the first sample of a block of `span` microseconds; blocks that follow one another do not jitter. */
  ofBlock(media: number | undefined, span: number): Micros {
    // A block comes when its last sample has been taken, so its end is what was just now.
    const end = this.of(media === undefined ? undefined : media + span);
    return this.#steady.step(micros(end - span), span);
  }
}
