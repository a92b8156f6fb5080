import { type Duration, ms, s } from "../core/time.js";

/** A camera may take this long to give its first frame. */
const startAllowance = s(10);
const leastStall = s(2);
/** A source is late when it takes so many times its usual interval. */
const intervals = 8;
/** The limit shrinks when the first readings come, so it is looked at again this often. */
const recheck = ms(500);
/** Share of a new interval in the running mean. */
const weight = 0.1;

/** Notices when a source goes silent. Time that the reader takes does not count. */
export class Watchdog {
  #since = performance.now();
  #interval: number | undefined;
  #waiting = true;
  #timer: NodeJS.Timeout | undefined;

  /** Calls `onSilence` once, after `stall` without a reading, or after what is unusual for this source. */
  watch(stall: Duration | undefined, onSilence: (span: Duration) => void): void {
    const check = (): void => {
      const limit = this.#limit(stall);
      const silent = this.#waiting ? performance.now() - this.#since : 0;
      if (silent >= limit) onSilence(ms(silent));
      else this.#timer = setTimeout(check, Math.min(limit - silent, recheck / 1e3));
    };
    check();
  }

  /** A reading has come. */
  fed(): void {
    const interval = performance.now() - this.#since;
    this.#interval = this.#interval === undefined ? interval : this.#interval + weight * (interval - this.#interval);
    this.#waiting = false;
  }

  /** The next reading is waited for. */
  wait(): void {
    this.#since = performance.now();
    this.#waiting = true;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** In milliseconds. */
  #limit(stall: Duration | undefined): number {
    if (stall !== undefined) return stall / 1e3;
    if (this.#interval === undefined) return startAllowance / 1e3;
    return Math.max(leastStall / 1e3, intervals * this.#interval);
  }
}
