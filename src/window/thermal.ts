import type { Frame } from "../core/reading.js";
import type { ThermalRecipe } from "../core/recipe.js";
import { type Tensor, tensor } from "../core/tensor.js";
import { shortestThenCrop } from "./fit.js";
import { resize } from "./pillow.js";

/** A thermal frame as `[1, 1, size, size]`: 8-bit grey, Pillow's bicubic, centre crop, 0..1, normalised (PARITY A7). */
export function thermalTensor(frame: Frame, { size, range, mean, std }: ThermalRecipe): Tensor<Float32Array> {
  const { width, height } = frame;
  const fit = shortestThenCrop(width, height, { size });
  const grey = resize({ width, height, channels: 1, data: toGrey(frame, range) }, fit, "bicubic");
  return tensor(
    [1, 1, size, size],
    Float32Array.from(grey, (u8) => (u8 / 255 - mean) / std),
  );
}

/**
 * Temperatures or counts as 8-bit grey: an 8-bit frame under `full` stays as it is; other formats have no range of their own, so
 * `full` takes the frame's extremes there, as `minmax` does. A pixel without a reading is 0.
 */
function toGrey({ format, data }: Frame, range: ThermalRecipe["range"]): Uint8Array {
  if (format === "rgb8") return luma(data);
  if (format === "gray8" && range === "full") return data as Uint8Array;
  const [low, high] = typeof range === "string" ? extremes(data) : range;
  const span = high > low ? high - low : Number.POSITIVE_INFINITY;
  return Uint8Array.from(data, (value) => Math.round(Math.min(255, Math.max(0, ((value - low) / span) * 255))));
}

function extremes(data: Frame["data"]): [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Pillow's convert("L"): ITU-R 601-2 luma in 16-bit fixed point. */
function luma(rgb: Frame["data"]): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let o = 0, i = 0; o < grey.length; o++, i += 3) {
    grey[o] = (rgb[i]! * 19595 + rgb[i + 1]! * 38470 + rgb[i + 2]! * 7471 + 0x8000) >> 16;
  }
  return grey;
}
