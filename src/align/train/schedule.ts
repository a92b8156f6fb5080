import { add, div, mul, sub } from "../../onnx/arithmetic.js";
import type { Graph } from "../../onnx/graph.js";
import type { Value } from "../../onnx/value.js";

export interface Schedule {
  /** Steps over which the learning rate grows from lr / warmup to lr. */
  readonly warmup: number;
  /** Steps after which it has fallen along half a cosine to `floor` times lr; it stays at lr where there is none. */
  readonly total?: number;
  readonly floor?: number;
}

export const constant: Schedule = { warmup: 0 };

/** The learning rate of the step after `taken` others (SGDR's cosine without restarts, arXiv 1608.03983). */
export function rateAt(g: Graph, taken: Value, lr: number, { warmup, total, floor = 0 }: Schedule): Value {
  const grown = warmup === 0 ? g.floats(1) : g.op("Min", [div(g, add(g, taken, 1), warmup), g.floats(1)]);
  if (total === undefined) return mul(g, grown, lr);
  const share = div(g, sub(g, taken, warmup), Math.max(1, total - warmup));
  const part = g.op("Clip", [share, g.floats(0), g.floats(1)]);
  const half = mul(g, add(g, g.op("Cos", [mul(g, part, Math.PI)]), 1), (1 - floor) / 2);
  return mul(g, mul(g, grown, add(g, half, floor)), lr);
}

/** The same number, computed here: what a progress line shows. */
export function rateOf(taken: number, lr: number, { warmup, total, floor = 0 }: Schedule): number {
  const grown = warmup === 0 ? 1 : Math.min((taken + 1) / warmup, 1);
  if (total === undefined) return lr * grown;
  const part = Math.min(Math.max((taken - warmup) / Math.max(1, total - warmup), 0), 1);
  return lr * grown * (((1 + Math.cos(part * Math.PI)) * (1 - floor)) / 2 + floor);
}
