import { add, concat, reshape, slice, transpose } from "../../onnx/arithmetic.js";
import type { Value } from "../../onnx/value.js";
import { block, layerNorm, lengthOf, linear, perRow, rowsOf } from "./layers.js";
import type { Net } from "./net.js";

export interface BlockOptions {
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly biasKv: boolean;
}

/**
 * Features `[n, width]` of tokens `[n, tokens, channels]`: a linear stem with LayerNorm, a class token, learned positions, ImageBind's
 * blocks, and the class token's row.
 */
export function transformed(net: Net, x: Value, { width, depth, heads, biasKv }: BlockOptions): Value {
  const { g } = net;
  const tokens = layerNorm(net, linear(net, x, "stem", width, { bias: false }), "stem_norm", 1e-5);
  const cls = net.take("cls_token", [1, 1, width], { deviation: 0.02 });
  const positions = net.take("pos_embed", [1, lengthOf(tokens, 1) + 1, width], { deviation: 0.02 });
  let y = add(g, concat(g, [perRow(g, cls, tokens), tokens], 1), positions);
  for (let i = 0; i < depth; i++) y = block(net, y, `blocks.${i}`, { heads, biasKv });
  return g.op("Gather", [layerNorm(net, y, "head_norm", 1e-6), g.ints(0)], { axis: 1 });
}

/** Series of channels `[n, channels, samples]` as tokens of `patch` samples each; what is left over at the end is cut off. */
export function seriesTokens({ g }: Net, x: Value, patch: number): Value {
  const [channels, samples] = [lengthOf(x, 1), lengthOf(x, 2)];
  const tokens = Math.floor(samples / patch);
  const whole = tokens * patch === samples ? x : slice(g, x, 2, 0, tokens * patch);
  const cells = reshape(g, whole, [rowsOf(x), channels, tokens, patch]);
  return reshape(g, transpose(g, cells, [0, 2, 1, 3]), [rowsOf(x), tokens, channels * patch]);
}

/** Maps `[n, channels, height, width]`, or clips with time before height, as one token for each patch. */
export function patchTokens({ g }: Net, x: Value, patch: readonly number[]): Value {
  const [, channels, ...space] = x.shape as [number, number, ...number[]];
  const grid = space.map((size, i) => size / patch[i]!);
  const axes = patch.map((_, i) => i);
  const cells = reshape(g, x, [rowsOf(x), channels, ...axes.flatMap((i) => [grid[i]!, patch[i]!])]);
  const order = [0, ...axes.map((i) => 2 + 2 * i), 1, ...axes.map((i) => 3 + 2 * i)];
  const count = grid.reduce((a, b) => a * b, 1);
  const size = channels * patch.reduce((a, b) => a * b, 1);
  return reshape(g, transpose(g, cells, order), [rowsOf(x), count, size]);
}
