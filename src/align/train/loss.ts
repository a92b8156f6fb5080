import { add, concat, exp, indicator, matMul, matrixTranspose, mul, neg, sub, sum } from "../../onnx/arithmetic.js";
import type { Graph } from "../../onnx/graph.js";
import type { Value } from "../../onnx/value.js";
import type { Net } from "../net/net.js";

/** The learned scale exp(s), s beginning at log(1/0.07) and the scale never above 100 (CLIP, arXiv 2103.00020). */
export function logitScale(net: Net, name = "log_logit_scale"): Value {
  const s = net.take(name, [], { value: Math.log(1 / 0.07) });
  return net.g.op("Clip", [exp(net.g, s), undefined, net.g.floats(100)]);
}

export interface ContrastOptions {
  readonly scale: Value;
  /** More anchors `[queue, dim]` that are nobody's pair: past camera embeddings, so that a small batch has negatives. */
  readonly queue?: Value;
  /** Anchors with a greater cosine than this are the same scene and do not count as negatives of one another. */
  readonly same?: number;
}

/** 1 on the diagonal of `[rows, columns]`. */
function diagonal(g: Graph, rows: number, columns = rows): Value {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) data[i * columns + i] = 1;
  return g.weight("diagonal", { dims: [rows, columns], data });
}

/** 1 where two anchors are near-identical although they are not one pair. */
function twins(g: Graph, anchors: Value, all: Value, least: number): Value {
  const alike = indicator(g, g.op("Greater", [matMul(g, anchors, matrixTranspose(g, all)), g.floats(least)]));
  return mul(g, alike, sub(g, 1, diagonal(g, anchors.shape![0] as number, all.shape![0] as number)));
}

/**
 * Symmetric InfoNCE of unit rows `z` and `anchors`, both `[n, dim]`, row i with row i: the mean of the cross-entropies along rows
 * and columns of scale z anchors^T (van den Oord et al., arXiv 1807.03748; ImageBind, arXiv 2305.05665, equation 1 both ways).
 */
export function infoNce(g: Graph, z: Value, anchors: Value, { scale, queue, same }: ContrastOptions): Value {
  const n = z.shape![0] as number;
  const all = queue === undefined ? anchors : concat(g, [anchors, queue], 0);
  const logits = mul(g, matMul(g, z, matrixTranspose(g, all)), scale);
  const hide = (x: Value, which: Value): Value =>
    same === undefined ? x : add(g, x, mul(g, twins(g, anchors, which, same), -1e4));
  const rows = g.op("LogSoftmax", [hide(logits, all)], { axis: 1 });
  const square = queue === undefined ? logits : g.op("Slice", [logits, g.ints([0]), g.ints([n]), g.ints([1])]);
  const columns = g.op("LogSoftmax", [hide(square, anchors)], { axis: 0 });
  const total = add(
    g,
    sum(g, mul(g, rows, diagonal(g, n, all.shape![0] as number))),
    sum(g, mul(g, columns, diagonal(g, n))),
  );
  return mul(g, total, -1 / (2 * n));
}

/**
 * Sigmoid loss of every pair on its own (SigLIP, Zhai et al., arXiv 2303.15343): minus the mean over rows of
 * sum log sigmoid(label (scale z anchor + bias)), label 1 for a pair and -1 otherwise.
 */
export function sigmoidLoss(
  g: Graph,
  z: Value,
  anchors: Value,
  { scale, bias, queue, same }: ContrastOptions & { readonly bias: Value },
): Value {
  const n = z.shape![0] as number;
  const all = queue === undefined ? anchors : concat(g, [anchors, queue], 0);
  const logits = add(g, mul(g, matMul(g, z, matrixTranspose(g, all)), scale), bias);
  const labels = sub(g, mul(g, diagonal(g, n, all.shape![0] as number), 2), 1);
  const each = g.op("Softplus", [neg(g, mul(g, labels, logits))]);
  const counted = same === undefined ? each : mul(g, each, sub(g, 1, twins(g, anchors, all, same)));
  return mul(g, sum(g, counted), 1 / n);
}

/** Bias of the sigmoid loss, which begins at -10 since nearly all pairs are none. */
export const sigmoidBias = (net: Net, name = "logit_bias"): Value => net.take(name, [], { value: -10 });

/**
 * A loss with a pull of each row to its own anchor: minus `pull` times their mean cosine. A sensor that tells scenes apart by what
 * words do not mean, such as its drift, learns the direction of the anchor and not only which of them it is.
 */
export function drawn(
  g: Graph,
  loss: Value,
  { z, anchors, pull }: { readonly z: Value; readonly anchors: Value; readonly pull: number },
): Value {
  const n = z.shape![0] as number;
  return sub(g, loss, mul(g, sum(g, mul(g, z, anchors)), pull / n));
}
