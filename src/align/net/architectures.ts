import { add, concat, mean, normalizeRows, reshape, slice, transpose } from "../../onnx/arithmetic.js";
import type { Value } from "../../onnx/value.js";
import { block, gelu, layerNorm, lengthOf, linear, perRow } from "./layers.js";
import type { Architecture, Net } from "./net.js";

export interface HeadOptions {
  /** Length of the embedding. */
  readonly dim: number;
  /** Neurons between; without it the head is one linear map. */
  readonly hidden?: number;
}

/** A head on frozen features `[n, width]`: LayerNorm, then linear, or linear, GELU, linear; rows of length 1. */
export const head =
  ({ dim, hidden }: HeadOptions): Architecture =>
  (net, x) => {
    const { g } = net;
    const normed = layerNorm(net, x, "norm", 1e-5);
    if (hidden === undefined) return normalizeRows(g, linear(net, normed, "fc", dim));
    return normalizeRows(g, linear(net, gelu(g, linear(net, normed, "fc1", hidden)), "fc2", dim));
  };

export interface TransformerOptions {
  readonly dim: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly biasKv: boolean;
}

/** Class token, learned positions, ImageBind's blocks, and the class token's row through a linear map. */
function encode(net: Net, tokens: Value, { dim, width, depth, heads, biasKv }: TransformerOptions): Value {
  const { g } = net;
  const cls = net.take("cls_token", [1, 1, width], { deviation: 0.02 });
  const positions = net.take("pos_embed", [1, lengthOf(tokens, 1) + 1, width], { deviation: 0.02 });
  let x = add(g, concat(g, [perRow(g, cls, tokens), tokens], 1), positions);
  for (let i = 0; i < depth; i++) x = block(net, x, `blocks.${i}`, { heads, biasKv });
  const first = g.op("Gather", [layerNorm(net, x, "head_norm", 1e-6), g.ints(0)], { axis: 1 });
  return normalizeRows(g, linear(net, first, "head", dim, { bias: false }));
}

/** Of tokens `[n, tokens, channels]`: a linear stem with LayerNorm before the blocks. */
export const transformer =
  (options: TransformerOptions): Architecture =>
  (net, x) => {
    const stem = linear(net, x, "stem", options.width, { bias: false });
    return encode(net, layerNorm(net, stem, "stem_norm", 1e-5), options);
  };

export interface SeriesOptions extends TransformerOptions {
  /** Samples in one token. */
  readonly patch: number;
}

/** A 1-D transformer of named channels `[n, channels, samples]`, `patch` samples a token. */
export const seriesTransformer =
  ({ patch, ...options }: SeriesOptions): Architecture =>
  (net, x) => {
    const { g } = net;
    const [channels, samples] = [lengthOf(x, 1), lengthOf(x, 2)];
    const tokens = Math.floor(samples / patch);
    const whole = tokens * patch === samples ? x : slice(g, x, 2, 0, tokens * patch);
    const cells = reshape(g, whole, [rowsOf(x), channels, tokens, patch]);
    const rows = reshape(g, transpose(g, cells, [0, 2, 1, 3]), [rowsOf(x), tokens, channels * patch]);
    return transformer(options)(net, rows);
  };

export interface PatchOptions extends TransformerOptions {
  /** Length of a patch along each axis after the channels: [size, size] of maps, [time, size, size] of video. */
  readonly patch: readonly number[];
}

/**
 * A vision transformer of maps `[n, channels, height, width]`, or of clips `[n, channels, time, height, width]` with 3-D patches
 * (Dosovitskiy et al., arXiv 2010.11929; Arnab et al., arXiv 2103.15691, tubelets).
 */
export const patchTransformer =
  ({ patch, ...options }: PatchOptions): Architecture =>
  (net, x) => {
    const { g } = net;
    const [, channels, ...space] = x.shape as [number, number, ...number[]];
    const grid = space.map((size, i) => size / patch[i]!);
    const axes = patch.map((_, i) => i);
    const cells = reshape(g, x, [rowsOf(x), channels, ...axes.flatMap((i) => [grid[i]!, patch[i]!])]);
    const order = [0, ...axes.map((i) => 2 + 2 * i), 1, ...axes.map((i) => 3 + 2 * i)];
    const count = grid.reduce((a, b) => a * b, 1);
    const size = channels * patch.reduce((a, b) => a * b, 1);
    return transformer(options)(net, reshape(g, transpose(g, cells, order), [rowsOf(x), count, size]));
  };

export interface ConvolutionOptions {
  readonly dim: number;
  /** Channels of each stage; every stage halves height and width. */
  readonly stages: readonly number[];
}

/** A small CNN of maps `[n, channels, height, width]`: 3x3 convolutions of stride 2 with group norm, then the mean. */
export const convolutional =
  ({ dim, stages }: ConvolutionOptions): Architecture =>
  (net, x) => {
    const { g } = net;
    let y = x;
    for (const [i, channels] of stages.entries()) {
      const inputs = lengthOf(y, 1);
      const w = net.take(`stages.${i}.weight`, [channels, inputs, 3, 3], { deviation: Math.sqrt(2 / (9 * inputs)) });
      const scale = net.take(`stages.${i}.norm.weight`, [channels], { value: 1 });
      const shift = net.take(`stages.${i}.norm.bias`, [channels], { value: 0 });
      const map = g.op("Conv", [y, w], { strides: [2, 2], pads: [1, 1, 1, 1] });
      y = gelu(g, g.op("InstanceNormalization", [map, scale, shift], { epsilon: { float: 1e-5 } }));
    }
    const area = lengthOf(y, 2) * lengthOf(y, 3);
    const pooled = reshape(g, mean(g, y, [2, 3], area), [rowsOf(x), stages.at(-1)!]);
    return normalizeRows(g, linear(net, pooled, "head", dim));
  };

/** The batch's length, or -1 (ONNX Reshape: whatever is left) where only a run knows it. */
const rowsOf = (x: Value): number => (typeof x.shape![0] === "number" ? x.shape![0] : -1);
