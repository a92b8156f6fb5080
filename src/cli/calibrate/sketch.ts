import type { SeriesRecipe } from "../../core/recipe.js";
import type { Tensor } from "../../core/tensor.js";

/** Numbers of a window that tell how much it differs from another (align/pairs/lag.ts looks at as many). */
const elements = 512;

const strideOf = (length: number): number => Math.max(1, Math.floor(length / elements));

/** Whether a window is as small as a sketch of it. */
export const isSmall = ({ data }: Tensor<Float32Array>): boolean => strideOf(data.length) === 1;

/**
 * What stands for a large window until it is known which are learned from: every so many of its numbers and their mean, so that one
 * that never varies is told from one that does; NaN throughout where any is.
 */
export function sketchOf({ data }: Tensor<Float32Array>): Tensor<Float32Array> {
  const stride = strideOf(data.length);
  const count = Math.ceil(data.length / stride);
  const sketch = new Float32Array(count + 1);
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]!;
  for (let i = 0; i < count; i++) sketch[i] = data[i * stride]!;
  sketch[count] = sum / data.length;
  return { dims: [1, sketch.length], data: Number.isFinite(sum) ? sketch : sketch.fill(Number.NaN) };
}

/** Puts a sketch of a series on the scale that the recipe gives its channels. */
export function scaleSketch({ data }: Tensor<Float32Array>, recipe: SeriesRecipe): void {
  const { channels, steps, mean = [], std = [] } = recipe;
  const stride = strideOf(channels.length * steps);
  const last = data.length - 1;
  let sum = 0;
  for (let i = 0; i < last; i++) {
    const c = Math.floor((i * stride) / steps);
    data[i] = (data[i]! - mean[c]!) / std[c]!;
    sum += data[i]!;
  }
  data[last] = sum / last;
}
