import {
  add,
  concat,
  div,
  exp,
  indicator,
  matMul,
  matrixTranspose,
  mul,
  neg,
  reshape,
  slice,
  sub,
  sum,
} from "../../onnx/arithmetic.js";
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
  /** `[n + queue]`, 1 for each row and queued anchor, 0 for one that only fills up the form and counts nowhere. */
  readonly counted?: Value;
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

interface Count {
  /** `[n, 1]` and `[1, n + queue]`, 1 where a row and a column count; nothing where all do. */
  readonly rows: Value | undefined;
  readonly columns: Value | undefined;
  /** What rows gave together, by their number. */
  each(total: Value): Value;
}

function countOf(g: Graph, n: number, { counted }: ContrastOptions): Count {
  if (counted === undefined) return { rows: undefined, columns: undefined, each: (total) => mul(g, total, 1 / n) };
  const rows = slice(g, counted, 0, 0, n);
  return {
    rows: reshape(g, rows, [n, 1]),
    columns: reshape(g, counted, [1, counted.shape![0] as number]),
    each: (total) => div(g, total, sum(g, rows)),
  };
}

/**
 * Symmetric InfoNCE of unit rows `z` and `anchors`, both `[n, dim]`, row i with row i: the mean of the cross-entropies along rows
 * and columns of scale z anchors^T (van den Oord et al., arXiv 1807.03748; ImageBind, arXiv 2305.05665, equation 1 both ways).
 */
export function infoNce(g: Graph, z: Value, anchors: Value, options: ContrastOptions): Value {
  const { scale, queue, same } = options;
  const n = z.shape![0] as number;
  const all = queue === undefined ? anchors : concat(g, [anchors, queue], 0);
  const count = countOf(g, n, options);
  const logits = mul(g, matMul(g, z, matrixTranspose(g, all)), scale);
  const hide = (x: Value, which: Value, counted: Value | undefined): Value => {
    const apart = same === undefined ? x : add(g, x, mul(g, twins(g, anchors, which, same), -1e4));
    return counted === undefined ? apart : add(g, apart, mul(g, sub(g, counted, 1), 1e4));
  };
  const rows = g.op("LogSoftmax", [hide(logits, all, count.columns)], { axis: 1 });
  const square = queue === undefined ? logits : g.op("Slice", [logits, g.ints([0]), g.ints([n]), g.ints([1])]);
  const columns = g.op("LogSoftmax", [hide(square, anchors, count.rows)], { axis: 0 });
  const own = (columns: number): Value => {
    const all = diagonal(g, n, columns);
    return count.rows === undefined ? all : mul(g, all, count.rows);
  };
  const total = add(g, sum(g, mul(g, rows, own(all.shape![0] as number))), sum(g, mul(g, columns, own(n))));
  return count.each(mul(g, total, -1 / 2));
}

/**
 * Sigmoid loss of every pair on its own (SigLIP, Zhai et al., arXiv 2303.15343): minus the mean over rows of
 * sum log sigmoid(label (scale z anchor + bias)), label 1 for a pair and -1 otherwise.
 */
export function sigmoidLoss(
  g: Graph,
  z: Value,
  anchors: Value,
  options: ContrastOptions & { readonly bias: Value },
): Value {
  const { scale, bias, queue, same } = options;
  const n = z.shape![0] as number;
  const all = queue === undefined ? anchors : concat(g, [anchors, queue], 0);
  const logits = add(g, mul(g, matMul(g, z, matrixTranspose(g, all)), scale), bias);
  const labels = sub(g, mul(g, diagonal(g, n, all.shape![0] as number), 2), 1);
  const each = g.op("Softplus", [neg(g, mul(g, labels, logits))]);
  const apart = same === undefined ? each : mul(g, each, sub(g, 1, twins(g, anchors, all, same)));
  const { rows, columns, each: mean } = countOf(g, n, options);
  return mean(sum(g, rows === undefined || columns === undefined ? apart : mul(g, mul(g, apart, rows), columns)));
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
