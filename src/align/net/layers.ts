import { add, concat, matMul, matrixTranspose, mul, reshape, slice, transpose } from "../../onnx/arithmetic.js";
import type { Graph } from "../../onnx/graph.js";
import type { Value } from "../../onnx/value.js";
import type { Net } from "./net.js";

/** Deviation of a linear layer's weights where none is given: 1 / sqrt(inputs). */
const fanIn = (inputs: number): { deviation: number } => ({ deviation: 1 / Math.sqrt(inputs) });

export const lengthOf = (x: Value, axis: number): number => x.shape!.at(axis) as number;

/** The batch's length, or -1 (ONNX Reshape: whatever is left) where only a run knows it. */
export const rowsOf = (x: Value): number => (typeof x.shape![0] === "number" ? x.shape![0] : -1);

/** Keeps the leading axes, `-1` where the first is not known. */
const leading = (x: Value): number[] => x.shape!.slice(0, -1).map((dim) => (typeof dim === "number" ? dim : -1));

export interface LinearOptions {
  readonly bias?: boolean;
}

/** y = x W^T + b along the last axis, W [outputs, inputs]. */
export function linear(net: Net, x: Value, name: string, outputs: number, { bias = true }: LinearOptions = {}): Value {
  const { g } = net;
  const inputs = lengthOf(x, -1);
  const w = net.take(`${name}.weight`, [outputs, inputs], fanIn(inputs));
  const b = bias ? [net.take(`${name}.bias`, [outputs], { value: 0 })] : [];
  if (x.shape?.length === 2) return g.op("Gemm", [x, w, ...b], { transB: 1 });
  const rows = g.op("Gemm", [reshape(g, x, [-1, inputs]), w, ...b], { transB: 1 });
  return reshape(g, rows, [...leading(x), outputs]);
}

/** Layer normalisation of the last axis (Ba et al., arXiv 1607.06450). */
export function layerNorm(net: Net, x: Value, name: string, epsilon: number): Value {
  const width = lengthOf(x, -1);
  const scale = net.take(`${name}.weight`, [width], { value: 1 });
  const shift = net.take(`${name}.bias`, [width], { value: 0 });
  return net.g.op("LayerNormalization", [x, scale, shift], { axis: -1, epsilon: { float: epsilon } });
}

export interface GroupNormOptions {
  readonly groups: number;
  readonly epsilon: number;
}

/**
 * Group normalisation of maps `[n, channels, ...]`: each group of channels of each sample on its own, then a scale and shift for each
 * channel (Wu and He, arXiv 1803.08494). Made of instance normalisation, since ONNX's operator of that name has its scales by group
 * before opset 21.
 */
export function groupNorm(net: Net, x: Value, name: string, { groups, epsilon }: GroupNormOptions): Value {
  const { g } = net;
  const [, channels, ...space] = x.shape as [unknown, number, ...number[]];
  const scale = net.take(`${name}.weight`, [channels], { value: 1 });
  const shift = net.take(`${name}.bias`, [channels], { value: 0 });
  const size = space.reduce((a, b) => a * b, channels / groups);
  const unit = [1, 0].map((value) => g.floats(new Array<number>(groups).fill(value)));
  const rows = reshape(g, x, [rowsOf(x), groups, size]);
  const normal = g.op("InstanceNormalization", [rows, ...unit], { epsilon: { float: epsilon } });
  const each = (vector: Value): Value => reshape(g, vector, [channels, ...space.map(() => 1)]);
  return add(g, mul(g, reshape(g, normal, [rowsOf(x), channels, ...space]), each(scale)), each(shift));
}

/** Exact: x Phi(x). */
export const gelu = (g: Graph, x: Value): Value => g.op("Gelu", [x], { approximate: "none" });

/** A learned tensor `[1, ...]` repeated for each row of the batch of `like`. */
export function perRow(g: Graph, token: Value, like: Value): Value {
  const dims = token.shape as readonly number[];
  const n = like.shape![0]!;
  if (typeof n === "number") return g.op("Expand", [token, g.ints([n, ...dims.slice(1)])]);
  const count = slice(g, g.op("Shape", [like]), 0, 0, 1);
  return g.op("Expand", [token, g.op("Concat", [count, g.ints(dims.slice(1))], { axis: 0 })]);
}

export interface AttentionOptions {
  readonly heads: number;
  /** A learned key and value behind the others (torch: add_bias_kv). */
  readonly biasKv: boolean;
}

/** Multi-head self-attention of x `[n, tokens, width]` (Vaswani et al., arXiv 1706.03762), torch's names. */
export function attention(net: Net, x: Value, name: string, { heads, biasKv }: AttentionOptions): Value {
  const { g } = net;
  const [tokens, width] = [lengthOf(x, 1), lengthOf(x, 2)];
  const size = width / heads;
  const w = net.take(`${name}.in_proj_weight`, [3 * width, width], fanIn(width));
  const b = net.take(`${name}.in_proj_bias`, [3 * width], { value: 0 });
  const all = g.op("Gemm", [reshape(g, x, [-1, width]), w, b], { transB: 1 });
  const [q, k, v] = g.ops("Split", [all, g.ints([width, width, width])], { axis: 1 }, { outputs: 3 });
  const batch = rowsOf(x);
  const rows = (value: Value): Value => reshape(g, value, [batch, tokens, width]);
  const extended = (value: Value, key: string): Value => {
    if (!biasKv) return rows(value);
    const token = net.take(`${name}.${key}`, [1, 1, width], { deviation: 0.02 });
    return concat(g, [rows(value), perRow(g, token, x)], 1);
  };
  const keys = biasKv ? tokens + 1 : tokens;
  const split = (value: Value, count: number): Value =>
    transpose(g, reshape(g, value, [batch, count, heads, size]), [0, 2, 1, 3]);
  const [qh, kh, vh] = [
    split(rows(q!), tokens),
    split(extended(k!, "bias_k"), keys),
    split(extended(v!, "bias_v"), keys),
  ];
  const scores = mul(g, matMul(g, qh, matrixTranspose(g, kh)), 1 / Math.sqrt(size));
  const mixed = matMul(g, g.op("Softmax", [scores], { axis: -1 }), vh);
  const joined = reshape(g, transpose(g, mixed, [0, 2, 1, 3]), [batch, tokens, width]);
  return linear(net, joined, `${name}.out_proj`, width);
}

/** A pre-norm block: x += attention(norm_1 x); x += fc2(GELU(fc1(norm_2 x))) (PARITY.md B). */
export function block(net: Net, x: Value, name: string, options: AttentionOptions): Value {
  const { g } = net;
  const width = lengthOf(x, 2);
  const middle = add(g, x, attention(net, layerNorm(net, x, `${name}.norm_1`, 1e-6), `${name}.attn`, options));
  const hidden = linear(net, layerNorm(net, middle, `${name}.norm_2`, 1e-6), `${name}.mlp.fc1`, 4 * width);
  return add(g, middle, linear(net, gelu(g, hidden), `${name}.mlp.fc2`, width));
}
