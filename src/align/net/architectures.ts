import { normalizeRows } from "../../onnx/arithmetic.js";
import type { Value } from "../../onnx/value.js";
import { convolved, type StageOptions } from "./convolution.js";
import { gelu, layerNorm, linear } from "./layers.js";
import type { Architecture, Net } from "./net.js";
import { type BlockOptions, patchTokens, seriesTokens, transformed } from "./transformer.js";

export interface HeadOptions {
  /** Length of the embedding. */
  readonly dim: number;
  /** Neurons between; without it the head is one linear map. */
  readonly hidden?: number | undefined;
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

interface ProjectionOptions extends HeadOptions {
  readonly bias: boolean;
}

/** A network's own last layer, or two with GELU between; rows of length 1. */
function projected(net: Net, features: Value, { dim, hidden, bias }: ProjectionOptions): Value {
  const { g } = net;
  if (hidden === undefined) return normalizeRows(g, linear(net, features, "head", dim, { bias }));
  return normalizeRows(g, linear(net, gelu(g, linear(net, features, "head.fc1", hidden)), "head.fc2", dim));
}

export interface TransformerOptions extends HeadOptions, BlockOptions {}

/** Of tokens `[n, tokens, channels]`: a linear stem with LayerNorm, blocks, and the class token's row through a linear map. */
export const transformer =
  (options: TransformerOptions): Architecture =>
  (net, x) =>
    projected(net, transformed(net, x, options), { ...options, bias: false });

export interface SeriesOptions extends TransformerOptions {
  /** Samples in one token. */
  readonly patch: number;
}

/** A 1-D transformer of named channels `[n, channels, samples]`, `patch` samples a token. */
export const seriesTransformer =
  ({ patch, ...options }: SeriesOptions): Architecture =>
  (net, x) =>
    transformer(options)(net, seriesTokens(net, x, patch));

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
  (net, x) =>
    transformer(options)(net, patchTokens(net, x, patch));

export interface ConvolutionOptions extends HeadOptions, StageOptions {}

/** A small CNN of maps `[n, channels, height, width]`: 3x3 convolutions of stride 2 with group norm, then the mean. */
export const convolutional =
  (options: ConvolutionOptions): Architecture =>
  (net, x) =>
    projected(net, convolved(net, x, options), { ...options, bias: true });
