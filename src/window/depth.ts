import type { Frame } from "../core/reading.js";
import type { DepthRecipe } from "../core/recipe.js";
import { type Tensor, tensor } from "../core/tensor.js";
import { sampleFloat } from "./bilinear.js";
import { shortestThenCrop } from "./fit.js";
import { antialiasedTaps, bilinearTaps } from "./taps.js";

/** A depth frame (float32 metres, or uint16 millimetres) as `[1, 1, size, size]`, by the recipe's representation (PARITY A6). */
export function depthTensor(frame: Frame, recipe: DepthRecipe): Tensor<Float32Array> {
  const { size, antialias, mean, std } = recipe;
  const { width, height } = frame;
  const fit = shortestThenCrop(width, height, { size });
  const across = { input: width, output: fit.fullWidth, from: fit.left, count: size };
  const down = { input: height, output: fit.fullHeight, from: fit.top, count: size };
  const taps = antialias ? (axis: typeof across) => antialiasedTaps(axis, "bilinear") : bilinearTaps;
  const out = new Float32Array(size * size);
  const source = { data: represent(frame, recipe), width, step: 1, offset: 0 };
  sampleFloat(source, { across: taps(across), down: taps(down) }, out);
  for (let i = 0; i < out.length; i++) out[i] = (out[i]! - mean) / std;
  return tensor([1, 1, size, size], out);
}

/** Depth values as the encoder knows them, before resizing: disparity or metres, clamped and divided. Hot. */
export function represent({ format, data }: Frame, recipe: DepthRecipe): Float32Array {
  const { as, baseline, focal, clamp, invalid, valueClamp, divide } = recipe;
  const unit = format === "float32" ? 1 : 1e-3;
  const [low, high] = valueClamp ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const read = data[i]! * unit;
    const metres = Math.min(Math.max(read > 0 ? read : invalid, clamp[0]), clamp[1]);
    const value = as === "disparity" ? (baseline * focal) / metres : metres;
    out[i] = Math.min(Math.max(value, low), high) / divide;
  }
  return out;
}
