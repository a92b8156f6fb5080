import { tensor } from "../../core/tensor.js";
import type { Augment } from "./augment.js";

export interface Masks {
  /** Masks over time, and the longest one as a share of the clip. */
  readonly times?: number;
  readonly timeShare?: number;
  /** Masks over frequency, and the widest one as a share of the bins. */
  readonly bands?: number;
  readonly bandShare?: number;
}

/**
 * `[..., bins, frames]` with bands of frequency and stretches of time set to the clip's mean (SpecAugment, Park et al. 2019, arXiv
 * 1904.08779, without its time warp): two of each, up to a fifth of the bins and of the frames, unless given.
 */
export const specAugment =
  ({ times = 2, timeShare = 0.2, bands = 2, bandShare = 0.2 }: Masks = {}): Augment =>
  ({ dims, data }, random) => {
    const [bins, frames] = [dims.at(-2)!, dims.at(-1)!];
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    const out = data.slice();
    const stretch = (size: number, share: number): readonly [number, number] => {
      const width = Math.floor(random() * (share * size + 1));
      const from = Math.floor(random() * (size - width + 1));
      return [from, from + width];
    };
    for (let n = 0; n < bands; n++) {
      const [from, to] = stretch(bins, bandShare);
      for (let at = 0; at < out.length; at += bins * frames) out.fill(mean, at + from * frames, at + to * frames);
    }
    for (let n = 0; n < times; n++) {
      const [from, to] = stretch(frames, timeShare);
      for (let at = 0; at < out.length; at += frames) out.fill(mean, at + from, at + to);
    }
    return tensor(dims, out);
  };
