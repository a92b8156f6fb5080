import { add, concat, matMul, matrixTranspose, mul, reshape, slice, transpose } from "../../onnx/arithmetic.js";
import type { Graph } from "../../onnx/graph.js";
import type { Value } from "../../onnx/value.js";
import type { Net } from "./net.js";

/** Deviation of a linear layer's weights where none is given: 1 / sqrt(inputs). */
const fanIn = (inputs: number): { deviation: number } => ({ deviation: 1 / Math.sqrt(inputs) });

export const lengthOf = (x: Value, axis: number): number => x.shape!.at(axis) as number;

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
  const batch = typeof x.shape![0] === "number" ? x.shape![0] : -1;
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
