import { SenseError } from "../../../core/errors.js";
import { tensor } from "../../../core/tensor.js";
import type { Value } from "../../../onnx/value.js";
import type { Layout } from "./layout.js";
import { pooledAt } from "./pool.js";
import type { Sizes } from "./sizes.js";
import { layerNorm } from "./trunk.js";
import { transposed, type Weights } from "./weights.js";

/** Epsilon of the LayerNorm in a stem, unlike everywhere else (PARITY B). */
const stemEpsilon = 1e-5;

/** The position table's rows after the first, as a picture that can be resized: `[1, width, rows, columns]`. */
async function positionGrid(weights: Weights, { keys, width, positions }: Layout, side: number): Promise<Value> {
  const { data } = await weights.read(keys.positions);
  const grid = transposed(tensor([positions - 1, width], data.slice(width)));
  return weights.put(`${keys.positions}.grid`, tensor([1, width, side, side], grid.data));
}

/** The class token plus the first row of the position table, repeated for the batch, before the patches. */
async function withClass(weights: Weights, patches: Value, { keys, width }: Layout): Promise<Value> {
  const { graph } = weights;
  const cls = await weights.read(keys.cls!);
  const { data: positions } = await weights.read(keys.positions);
  const sum = Float32Array.from({ length: width }, (_, i) => cls.data[i]! + positions[i]!);
  const token = await weights.put(keys.cls!, tensor([1, 1, width], sum));
  const batch = graph.op("Slice", [graph.op("Shape", [patches]), graph.ints([0]), graph.ints([1])]);
  const target = graph.op("Concat", [batch, graph.ints([1, 1])], { axis: 0 });
  return graph.op("Concat", [graph.op("Expand", [token, target]), patches], { axis: 1 });
}

/** Patches `[n, width, rows, columns]` to `[n, rows * columns, width]`, normalised where the stem has a norm. */
async function flatten(weights: Weights, patches: Value, { width, keys }: Layout): Promise<Value> {
  const { graph } = weights;
  const rows = graph.op("Transpose", [graph.op("Reshape", [patches, graph.ints([0, width, -1])])], { perm: [0, 2, 1] });
  return keys.stemNorm === undefined ? rows : layerNorm(weights, rows, keys.stemNorm, stemEpsilon);
}

/**
 * Square pictures: patches plus the position table, which is resized to the picture as the original does (bicubic with
 * a = -0.75, no antialias; PARITY B).
 */
async function squareStem(weights: Weights, picture: Value, layout: Layout): Promise<Value> {
  const { graph } = weights;
  const { width, stemDims, keys, positions } = layout;
  const patch = stemDims.at(-1)!;
  const channels = stemDims.slice(1, -2).reduce((product, dim) => product * dim, 1);
  const filters = await weights.take(keys.stem, [width, channels, patch, patch]);
  const patches = graph.op("Conv", [picture, filters], { kernel_shape: [patch, patch], strides: [patch, patch] });
  const side = graph.op("Slice", [graph.op("Shape", [patches]), graph.ints([2]), graph.ints([3])]);
  const sizes = graph.op("Concat", [graph.ints([1, width]), side, side], { axis: 0 });
  const grid = await positionGrid(weights, layout, Math.sqrt(positions - 1));
  const resized = graph.op("Resize", [grid, undefined, undefined, sizes], {
    mode: "cubic",
    cubic_coeff_a: -0.75,
    coordinate_transformation_mode: "half_pixel",
  });
  const table = graph.op("Transpose", [graph.op("Reshape", [resized, graph.ints([1, width, -1])])], {
    perm: [0, 2, 1],
  });
  return withClass(weights, graph.op("Add", [await flatten(weights, patches, layout), table]), layout);
}

/**
 * Pictures `[n, 3, side, side]` or two-frame videos `[n, 3, 2, side, side]`; a picture counts as two equal frames. The two
 * frames become channels, which turns the original's 3-D convolution into an equal 2-D one.
 */
async function visionStem(weights: Weights, layout: Layout): Promise<Value> {
  const { graph } = weights;
  const [, channels, frames] = layout.stemDims as [number, number, number];
  const pixels = graph.input("input", "float32");
  const shape = graph.op("Shape", [pixels]);
  const batch = graph.op("Gather", [shape, graph.ints([0])]);
  const sides = graph.op("Gather", [shape, graph.ints([-2, -1])]);
  const video = graph.op("Concat", [batch, graph.ints([channels, -1]), sides], { axis: 0 });
  const clip = graph.op("Expand", [graph.op("Reshape", [pixels, video]), graph.ints([1, 1, frames, 1, 1])]);
  const flat = graph.op("Concat", [batch, graph.ints([channels * frames]), sides], { axis: 0 });
  return squareStem(weights, graph.op("Reshape", [clip, flat]), layout);
}

/** Log-mel clips `[n, 1, bins, frames]` in overlapping patches, mel-major; the position table has no other shape. */
async function audioStem(weights: Weights, layout: Layout, { bins, frames, audioStride }: Sizes): Promise<Value> {
  const { graph } = weights;
  const { width, positions, stemDims, keys } = layout;
  const patch = stemDims.at(-1)!;
  const places = [bins, frames].map((size) => Math.floor((size - patch) / audioStride) + 1);
  if (places[0]! * places[1]! !== positions - 1) {
    throw new SenseError(
      "BAD_CHECKPOINT",
      `${keys.positions} has ${positions - 1} places, but ${bins} bins by ${frames} frames have ${places.join(" x ")}`,
      { hint: "give audio_num_mel_bins, audio_target_len and audio_stride with --config config.json" },
    );
  }
  const mel = graph.input("input", "float32", ["n", 1, bins, frames]);
  const filters = await weights.take(keys.stem);
  const strides = [audioStride, audioStride];
  const patches = graph.op("Conv", [mel, filters], { kernel_shape: [patch, patch], strides });
  const { data } = await weights.read(keys.positions);
  const table = await weights.put(keys.positions, tensor([1, positions - 1, width], data.slice(width)));
  return withClass(weights, graph.op("Add", [await flatten(weights, patches, layout), table]), layout);
}

/** Motion `[n, channels, steps]` in windows; a window's features are channel-major. */
async function imuStem(weights: Weights, layout: Layout, { imuChannels, imuKernel }: Sizes): Promise<Value> {
  const { graph } = weights;
  const { width, positions, keys } = layout;
  const count = positions - 1;
  const series = graph.input("input", "float32", ["n", imuChannels, count * imuKernel]);
  const windows = graph.op("Reshape", [series, graph.ints([0, imuChannels, count, imuKernel])]);
  const rows = graph.op("Transpose", [windows], { perm: [0, 2, 1, 3] });
  const features = graph.op("Reshape", [rows, graph.ints([0, count, imuChannels * imuKernel])]);
  const projected = graph.op("MatMul", [features, await weights.factor(keys.stem)]);
  const patches = await layerNorm(weights, projected, keys.stemNorm!, stemEpsilon);
  const { data } = await weights.read(keys.positions);
  const table = await weights.put(keys.positions, tensor([1, count, width], data.slice(width)));
  return withClass(weights, graph.op("Add", [patches, table]), layout);
}

/**
 * Token ids `[n, length]`, cut behind the last token that any of the texts is pooled at: the mask is causal, so what follows
 * cannot influence it, and most texts are far shorter than the 77 places.
 */
async function textStem(weights: Weights, { keys }: Layout): Promise<Value> {
  const { graph } = weights;
  if (!(await weights.isCausalMask(keys.mask!))) {
    throw new SenseError("BAD_CHECKPOINT", `${keys.mask} is not a causal mask`, {
      hint: "Only ImageBind's own layout is read: export another model to ONNX.",
    });
  }
  const ids = graph.input("input", "int64", ["n", "length"]);
  const last = graph.op("ReduceMax", [pooledAt(graph, ids)], { keepdims: 1 });
  const length = graph.op("Add", [graph.op("Reshape", [last, graph.ints([1])]), graph.ints([1])]);
  const used = graph.op("Slice", [ids, graph.ints([0]), length, graph.ints([1])]);
  const words = graph.op("Gather", [await weights.take(keys.stem), used]);
  const table = graph.op("Slice", [await weights.take(keys.positions), graph.ints([0]), length, graph.ints([1])]);
  return graph.op("Add", [words, table]);
}

/** The input of a tower's graph and its tokens `[n, tokens, width]`, class token and positions included. */
export async function stem(weights: Weights, layout: Layout, sizes: Sizes): Promise<Value> {
  switch (layout.tower) {
    case "vision":
      return visionStem(weights, layout);
    case "text":
      return textStem(weights, layout);
    case "audio":
      return audioStem(weights, layout, sizes);
    case "imu":
      return imuStem(weights, layout, sizes);
    case "depth":
    case "thermal": {
      const input = weights.graph.input("input", "float32", ["n", 1, "side", "side"]);
      return squareStem(weights, input, layout);
    }
    default:
      return layout.tower satisfies never;
  }
}
