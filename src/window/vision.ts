import { SenseError } from "../core/errors.js";
import type { Frame } from "../core/reading.js";
import type { VisionRecipe } from "../core/recipe.js";
import { type Tensor, tensor } from "../core/tensor.js";
import { Arena, kernels } from "./arena.js";
import { shortestThenCrop, stretch } from "./fit.js";
import { type Pixels, resize } from "./pillow.js";

/** A picture as `[1, 3, size, size]`: Pillow's resampling in 8 bits, centre crop, then float32 arithmetic as torch's (PARITY A1). */
export function visionTensor(frame: Frame, recipe: VisionRecipe): Tensor<Float32Array> {
  const { size } = recipe;
  const pixels = toPixels(frame);
  const { channels } = pixels;
  return tensor([1, 3, size, size], normalized(fitted(pixels, recipe), { channels, ...recipe }));
}

/**
 * Pixels that the shorter side of a live camera's picture should keep where the board or the decoder scales it: three times the
 * encoder's, from which on the kernel of that scaling no longer matters to the embedding (docs/preprocessing.md).
 */
export const liveSide = ({ size, resizeTo = size }: VisionRecipe): number => 3 * resizeTo;

/** The 8-bit picture that is then normalised: `size x size x channels`. */
export function fitted(pixels: Pixels, { size, resizeTo, fit, filter }: VisionRecipe): Uint8Array {
  if (resizeTo !== undefined && resizeTo < size) {
    throw new SenseError("BAD_BUNDLE", `a picture resized to ${resizeTo} has no square of ${size} to crop`, {
      hint: "Set resizeTo of the vision recipe to size or more.",
    });
  }
  const to = fit === "stretch" ? stretch(size) : shortestThenCrop(pixels.width, pixels.height, { size, resizeTo });
  return resize(pixels, to, filter);
}

/** A frame's 8-bit pixels as Pillow's `convert("RGB")` sees them: values above 255 are clipped; grey stays one channel. Throws `BAD_IMAGE`. */
export function toPixels({ width, height, format, data }: Frame): Pixels {
  const channels = format === "rgb8" ? 3 : 1;
  if (!(width > 0 && height > 0) || data.length !== width * height * channels) {
    throw new SenseError("BAD_IMAGE", `a ${format} frame of ${width}x${height} cannot have ${data.length} values`, {
      hint: `${format} has ${channels === 1 ? "one value" : "three values"} a pixel.`,
    });
  }
  return { width, height, channels, data: data instanceof Uint8Array ? data : Uint8ClampedBytes(data) };
}

const Uint8ClampedBytes = (data: Uint16Array | Float32Array): Uint8Array =>
  Uint8Array.from(data, (v) => Math.min(255, Math.max(0, v)));

interface Normalization {
  readonly channels: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Interleaved bytes as three float32 planes, (u8 / 255 - mean) / std; a grey value goes to all three. */
function normalized(bytes: Uint8Array, { channels, mean, std }: Normalization): Float32Array {
  const tables = new Float32Array(3 * 256);
  for (let c = 0; c < 3; c++) tables.set(levels(mean[c % mean.length]!, std[c % std.length]!), c * 256);
  const arena = new Arena();
  const pixels = bytes.length / channels;
  const out = arena.take(4 * 3 * pixels);
  kernels.planes(arena.put(bytes), pixels, channels, arena.put(tables), out);
  return arena.floats(out, 3 * pixels);
}

/** The float32 value of each of the 256 levels, every operation rounded to float32 as torch does it. */
function levels(mean: number, std: number): Float32Array {
  const round = Math.fround;
  return Float32Array.from({ length: 256 }, (_, u8) => round(round(round(u8 / 255) - round(mean)) / round(std)));
}
