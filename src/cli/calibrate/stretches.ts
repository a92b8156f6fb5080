import { type Micros, minutes } from "../../core/time.js";

const stretch = minutes(1);

/**
 * Which minutes of a recording are used: all, or, the longer it is, every second, fourth, eighth, so that what is held of it stays
 * within bounds while windows and frames of one moment stay together.
 */
export class Stretches {
  /** One minute in so many. */
  every = 1;
  #first: Micros | undefined;

  has(time: Micros): boolean {
    this.#first ??= time;
    return Math.floor((time - this.#first) / stretch) % this.every === 0;
  }

  /** Leaves out every second minute of those that are left. */
  halve(): void {
    this.every *= 2;
  }
}
