import * as z from "zod";
import { DurationText } from "./duration.js";

const perChannel = z.array(z.number()).min(1);

/** Text to token ids `[n, length]`, padded with `pad`; `mask` names the input that marks real tokens. */
export const TextRecipe = z.strictObject({
  kind: z.literal("text"),
  /** `clip`: CLIP's byte-pair vocabulary (bpe_simple_vocab_16e6.txt.gz); `tokenizer.json`: Hugging Face's format. */
  tokenizer: z.enum(["clip", "tokenizer.json"]),
  file: z.string(),
  /** The longest sequence; longer texts are cut, as the tokenizer's own rule says. */
  length: z.int().positive(),
  /** `fixed`: always `length` ids; `longest`: as many as the longest text of the batch has. */
  padTo: z.enum(["fixed", "longest"]).default("longest"),
  pad: z.int().default(0),
  ids: z.string().default("input_ids"),
  mask: z.string().optional(),
  /** An input of zeros of the same shape, for BERT-like towers that want one. */
  types: z.string().optional(),
});

/** How a file of some length becomes clips: as many windows as fit, or ImageBind's fixed number of clips (PARITY A5). */
const Clips = z.strictObject({ count: z.int().positive(), length: DurationText });

/** RGB picture to `[n, 3, size, size]`; with `video`, also `[clips * crops, 3, frames, size, size]` (PARITY A1, A2). */
export const VisionRecipe = z.strictObject({
  kind: z.literal("vision"),
  input: z.string(),
  size: z.int().positive(),
  /** `shortest`: shorter side to `size`, then centre crop; `stretch`: both sides to `size`. */
  fit: z.enum(["shortest", "stretch"]).default("shortest"),
  filter: z.enum(["bicubic", "bilinear"]).default("bicubic"),
  /** The side before the crop; `size` unless given (e.g. 256 before a crop of 224). */
  resizeTo: z.int().positive().optional(),
  mean: perChannel,
  std: perChannel,
  video: z
    .strictObject({ clips: z.int().positive(), length: DurationText, frames: z.int().positive(), crops: z.literal(3) })
    .optional(),
});

/** Mono waveform in [-1, 1) to `[n, samples]`. */
export const WaveformRecipe = z.strictObject({
  kind: z.literal("waveform"),
  input: z.string(),
  rate: z.number().positive(),
  samples: z.int().positive(),
  /** What is done with less than a window: zeros at its end, or the sound repeated. */
  short: z.enum(["pad", "repeat"]).default("pad"),
});

/** Log-mel filterbank to `[n, 1, bins, frames]` (PARITY A4). */
export const FbankRecipe = z.strictObject({
  kind: z.literal("fbank"),
  input: z.string(),
  rate: z.number().positive(),
  bins: z.int().positive(),
  frames: z.int().positive(),
  mean: z.number(),
  std: z.number(),
  clips: Clips,
});

/** Depth in metres to `[n, 1, size, size]` (PARITY A6). */
export const DepthRecipe = z.strictObject({
  kind: z.literal("depth"),
  input: z.string(),
  size: z.int().positive(),
  /** `disparity`: baseline * focal / depth, as Omnivore and ImageBind; `metres`: depth / `divide`. */
  as: z.enum(["disparity", "metres"]),
  /** Stereo baseline in metres: 0.075 Kinect, 0.095 RealSense and Xtion. */
  baseline: z.number().positive().default(0.075),
  /** Focal length in pixels, used where the sensor does not carry its intrinsics. */
  focal: z.number().positive().default(518.857901),
  /** Depths are clamped to this range, in metres; a pixel with no reading counts as `invalid` metres. */
  clamp: z.tuple([z.number(), z.number()]).default([0.01, 50]),
  invalid: z.number().default(0),
  /** After the representation: clamp to this range, then divide; absent: neither is done. */
  valueClamp: z.tuple([z.number(), z.number()]).optional(),
  divide: z.number().positive().default(1),
  antialias: z.boolean().default(false),
  mean: z.number().default(0),
  std: z.number().positive().default(1),
});

/** Thermal picture to `[n, 1, size, size]` in 0..1 (PARITY A7). */
export const ThermalRecipe = z.strictObject({
  kind: z.literal("thermal"),
  input: z.string(),
  size: z.int().positive(),
  /** What becomes 0 and 1: the whole 8-bit range, the frame's own extremes, or fixed values in °C. */
  range: z.union([z.literal("full"), z.literal("minmax"), z.tuple([z.number(), z.number()])]).default("full"),
  mean: z.number().default(0),
  std: z.number().positive().default(1),
});

/** Named channels to `[n, channels, steps]` at a fixed rate (PARITY A8); for imu and any other sensor of time series. */
export const SeriesRecipe = z.strictObject({
  kind: z.literal("series"),
  input: z.string(),
  rate: z.number().positive(),
  steps: z.int().positive(),
  channels: z.array(z.string()).min(1),
  /** Units the encoder was trained in, for the reader: the adapters give m/s² and rad/s. */
  units: z.array(z.string()).optional(),
  mean: perChannel.optional(),
  std: perChannel.optional(),
  short: z.enum(["pad", "repeat"]).default("pad"),
});

/** How the readings of one modality become the tensor that its encoder expects: data, not code. */
export const Recipe = z.discriminatedUnion("kind", [
  TextRecipe,
  VisionRecipe,
  WaveformRecipe,
  FbankRecipe,
  DepthRecipe,
  ThermalRecipe,
  SeriesRecipe,
]);
export type Recipe = Readonly<z.infer<typeof Recipe>>;
export type TextRecipe = Readonly<z.infer<typeof TextRecipe>>;
export type VisionRecipe = Readonly<z.infer<typeof VisionRecipe>>;
export type WaveformRecipe = Readonly<z.infer<typeof WaveformRecipe>>;
export type FbankRecipe = Readonly<z.infer<typeof FbankRecipe>>;
export type DepthRecipe = Readonly<z.infer<typeof DepthRecipe>>;
export type ThermalRecipe = Readonly<z.infer<typeof ThermalRecipe>>;
export type SeriesRecipe = Readonly<z.infer<typeof SeriesRecipe>>;
