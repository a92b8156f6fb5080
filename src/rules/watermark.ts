import type { Duration, Micros } from "../core/time.js";
import { limits } from "./limits.js";

export interface Patience {
  /** How late a message may come. */
  readonly lateness: Duration;
  /** How long a silent sensor holds evaluation back. */
  readonly idle: Duration;
}

/** Plain data of a watermark. */
export interface WatermarkState {
  /** Newest time of each sensor that was heard. */
  readonly sensors: Readonly<Record<string, number>>;
  /** Newest time of all, the clock's included; -1 before the first. */
  readonly now: number;
  /** The watermark; -1 before the first. It never goes back. */
  readonly mark: number;
}

interface Heard {
  newest: number;
}

/**
 * Up to where evaluation may go: the least of the sensors' newest times, minus lateness. A sensor that is `idle` behind
 * the newest time of all holds nothing back, until it speaks again. Memory: one number a sensor, at most `limits.sensors`.
 */
export class Watermark {
  private readonly sensors = new Map<string, Heard>();
  /** The same as a list: it is searched whenever the slowest sensor speaks. */
  private readonly all: Heard[] = [];
  private now = -1;
  private mark = -1;
  /** The sensor that holds back, so that most events cost no search. */
  private slowest: Heard | undefined;

  constructor(
    private readonly patience: Patience,
    state?: WatermarkState,
  ) {
    if (!state) return;
    for (const [sensor, newest] of Object.entries(state.sensors)) this.meet(sensor, newest);
    this.now = state.now;
    this.mark = state.mark;
    this.search();
  }

  /** A sensor was heard up to `at`; returns the watermark: every time before it can be evaluated. */
  hear(sensor: string, at: Micros): number {
    const heard = this.sensors.get(sensor) ?? this.meet(sensor);
    if (at > this.now) this.now = at;
    if (heard && at > heard.newest) {
      heard.newest = at;
      if (heard === this.slowest) this.slowest = undefined;
    }
    return this.advance();
  }

  /** The clock has come to `at`. */
  tick(at: Micros): number {
    if (at > this.now) this.now = at;
    return this.advance();
  }

  save(): WatermarkState {
    const sensors = Object.fromEntries([...this.sensors].map(([sensor, { newest }]) => [sensor, newest]));
    return { sensors, now: this.now, mark: this.mark };
  }

  private meet(sensor: string, newest = -1): Heard | undefined {
    if (this.sensors.size >= limits.sensors) return undefined;
    const heard = { newest };
    this.sensors.set(sensor, heard);
    this.all.push(heard);
    return heard;
  }

  private advance(): number {
    if (this.slowest === undefined || this.silent(this.slowest)) this.search();
    const least = this.slowest === undefined ? this.now : this.slowest.newest;
    const mark = least - this.patience.lateness;
    if (mark > this.mark) this.mark = mark;
    return this.mark;
  }

  private silent({ newest }: Heard): boolean {
    return this.now - newest >= this.patience.idle;
  }

  private search(): void {
    this.slowest = undefined;
    for (const heard of this.all) {
      if (!this.silent(heard) && (this.slowest === undefined || heard.newest < this.slowest.newest))
        this.slowest = heard;
    }
  }
}
