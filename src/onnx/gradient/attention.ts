import { add, matMul, matrixTranspose, mul, reshape, sub, sum, transpose } from "../arithmetic.js";
import { floatOf, intOf } from "../attributes.js";
import type { Graph } from "../graph.js";
import type { Value } from "../value.js";
import { dimsOf, type GradientRule, unknownShape } from "./rule.js";

/** [n, tokens, width] to [n, heads, tokens, width / heads]. */
export function splitHeads(g: Graph, x: Value, heads: number): Value {
  const [n, tokens, width] = x.shape as readonly [number, number, number];
  return transpose(g, reshape(g, x, [n, tokens, heads, width / heads]), [0, 2, 1, 3]);
}

/** [n, heads, tokens, size] to [n, tokens, heads size]. */
export function joinHeads(g: Graph, x: Value): Value {
  const [n, heads, tokens, size] = x.shape as readonly [number, number, number, number];
  return reshape(g, transpose(g, x, [0, 2, 1, 3]), [n, tokens, heads * size]);
}

/** 0 where a token may look, a very negative number where it comes later. */
const causalMask = (g: Graph, queries: number, keys: number): Value =>
  reshape(g, g.floats(Array.from({ length: queries * keys }, (_, i) => (i % keys > Math.floor(i / keys) ? -1e9 : 0))), [
    queries,
    keys,
  ]);

/**
 * ONNX Runtime's MultiHeadAttention on projected q, k and v [n, tokens, width]; keys and values may have tokens that the queries
 * have not (bias_k, bias_v). The weights are computed again: the kernel does not give them out.
 */
const multiHeadAttention: GradientRule = ({ g, node, dys, needs }) => {
  const [q, k, v, ...more] = node.inputs;
  const shapes = [q, k, v].map((value) => dimsOf(value, node));
  if (more.some((input) => input !== undefined) || shapes.some(({ length }) => length !== 3)) throw unknownShape(node);
  const heads = intOf(node.attributes, "num_heads", 1);
  const [qh, kh, vh, doh] = [q!, k!, v!, dys[0]!].map((value) => splitHeads(g, value, heads)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const scale = floatOf(node.attributes, "scale", 0) || 1 / Math.sqrt(shapes[0]![2]! / heads);
  const raw = mul(g, matMul(g, qh, matrixTranspose(g, kh)), scale);
  const isCausal = intOf(node.attributes, "unidirectional", 0) === 1;
  const logits = isCausal ? add(g, raw, causalMask(g, shapes[0]![1]!, shapes[1]![1]!)) : raw;
  const p = g.op("Softmax", [logits], { axis: -1 });
  const dp = matMul(g, doh, matrixTranspose(g, vh));
  const ds = mul(g, mul(g, p, sub(g, dp, sum(g, mul(g, dp, p), [-1]))), scale);
  return [
    needs[0] ? joinHeads(g, matMul(g, ds, kh)) : undefined,
    needs[1] ? joinHeads(g, matMul(g, matrixTranspose(g, ds), qh)) : undefined,
    needs[2] ? joinHeads(g, matMul(g, matrixTranspose(g, p), doh)) : undefined,
  ];
};

export const attentionRules: Readonly<Record<string, GradientRule>> = { MultiHeadAttention: multiHeadAttention };
