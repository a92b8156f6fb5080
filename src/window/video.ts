import { SenseError } from "../core/errors.js";
import type { Frame } from "../core/reading.js";
import type { VisionRecipe } from "../core/recipe.js";
import { type Tensor, tensor } from "../core/tensor.js";
import { sampleFloat } from "./bilinear.js";
import { clipTimes } from "./clip-times.js";
import { toNumber } from "./rational.js";
import { bilinearTaps } from "./taps.js";
import { toPixels } from "./vision.js";

type VideoRecipe = VisionRecipe & { readonly video: NonNullable<VisionRecipe["video"]> };

export interface VideoLength {
  readonly frames: number;
  readonly fps: number;
}

/** True for a recipe that has a rule for videos. */
export const hasVideo = (recipe: VisionRecipe): recipe is VideoRecipe => recipe.video !== undefined;

/** For each clip of a video file, the numbers of the frames that are taken (PARITY A2). Throws `BAD_IMAGE` for an empty video. */
export function clipFrames({ frames, fps }: VideoLength, { video }: VideoRecipe): number[][] {
  if (!(frames > 0 && fps > 0)) {
    throw new SenseError("BAD_IMAGE", `a video of ${frames} frames at ${fps} a second is empty`, {
      hint: "Give a file with at least one frame and a rate.",
    });
  }
  return clipTimes(frames / fps, { count: video.clips, length: video.length }).map(({ start, end }) => {
    const first = Math.min(Math.ceil(fps * toNumber(start)), frames - 1);
    const last = Math.max(first, Math.min(Math.ceil(fps * toNumber(end)), frames) - 1);
    return spread(last - first + 1, video.frames).map((index) => first + index);
  });
}

/** `count` positions spread evenly over `length`, both ends included, cut to whole numbers (torch linspace, then long). */
export function spread(length: number, count: number): number[] {
  const step = count > 1 ? (length - 1) / (count - 1) : 0;
  return Array.from({ length: count }, (_, i) => (i === count - 1 && count > 1 ? length - 1 : Math.trunc(i * step)));
}

/**
 * The frames of one clip as `[3 crops, 3, frames, size, size]`: shorter side to `size` by torch's bilinear without antialias,
 * normalised, then cut along the longer side at its beginning, middle and end (PARITY A2).
 */
export function clipTensor(frames: readonly Frame[], { size, mean, std }: VideoRecipe): Tensor<Float32Array> {
  const plane = size * size;
  const out = new Float32Array(3 * 3 * frames.length * plane);
  for (const [t, frame] of frames.entries()) {
    const { width, height, channels, data } = toPixels(frame);
    const tall = width < height;
    const long = Math.floor(tall ? (height / width) * size : (width / height) * size);
    const offsets = [0, Math.ceil((long - size) / 2), long - size];
    for (const [crop, offset] of offsets.entries()) {
      const across = bilinearTaps({ input: width, output: tall ? size : long, from: tall ? 0 : offset, count: size });
      const down = bilinearTaps({ input: height, output: tall ? long : size, from: tall ? offset : 0, count: size });
      for (let c = 0; c < 3; c++) {
        const at = ((crop * 3 + c) * frames.length + t) * plane;
        const source = { data, width, step: channels, offset: channels === 3 ? c : 0 };
        const to = out.subarray(at, at + plane);
        sampleFloat(source, { across, down }, to);
        const [m, s] = [mean[c % mean.length]!, std[c % std.length]!];
        for (let i = 0; i < plane; i++) to[i] = (to[i]! / 255 - m) / s;
      }
    }
  }
  return tensor([3, 3, frames.length, size, size], out);
}
