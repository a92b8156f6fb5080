import type { Duration } from "../core/time.js";
import { pause } from "./pause.js";

/** A live source cannot run ahead of time but for the lateness of its first piece; this much ahead, it is not live. */
const impossibleUs = 1_000_000;

/** Holds a source to the pace of its own timestamps: one that is not live (a test source, a file) gives all it has at once. */
export class HoldBack {
  #first: { readonly media: number; readonly arrival: number } | undefined;
  /** Whether it was found not to be live. */
  engaged = false;

  /**
   * Waits until a piece with this timestamp, in microseconds, is due. True when that has just been found to be needed. `live` is what the
   * source says of itself, if anything.
   */
  async due(
    media: number,
    { live, signal }: { readonly live: boolean | undefined; readonly signal: AbortSignal },
  ): Promise<boolean> {
    if (live) return false;
    const now = performance.now() * 1e3;
    this.#first ??= { media, arrival: now };
    const ahead = media - this.#first.media - (now - this.#first.arrival);
    const found = !this.engaged && (live === false || ahead > impossibleUs);
    this.engaged ||= found;
    if (this.engaged && ahead > 0) await pause(ahead as Duration, signal);
    return found;
  }
}
