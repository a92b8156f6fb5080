import type { Graph } from "./graph.js";
import type { Shape, Value } from "./value.js";

/** A value, or a number that becomes a float32 scalar. */
export type Operand = Value | number;

const asValue = (g: Graph, operand: Operand): Value => (typeof operand === "number" ? g.floats(operand) : operand);
const binary =
  (op: string) =>
  (g: Graph, a: Operand, b: Operand): Value =>
    g.op(op, [asValue(g, a), asValue(g, b)]);
const unary =
  (op: string) =>
  (g: Graph, x: Value): Value =>
    g.op(op, [x]);

export const add = binary("Add");
export const sub = binary("Sub");
export const mul = binary("Mul");
export const div = binary("Div");
export const matMul = binary("MatMul");
export const exp = unary("Exp");
export const log = unary("Log");
export const sqrt = unary("Sqrt");
export const neg = unary("Neg");
export const shapeOf = unary("Shape");

/** Sum over the axes, which stay with length 1; over all of them, down to a scalar, where none are given. */
export function sum(g: Graph, x: Value, axes?: readonly number[]): Value {
  if (axes === undefined) return g.op("ReduceSum", [x], { keepdims: 0 });
  return axes.length === 0 ? x : g.op("ReduceSum", [x, g.ints(axes)], { keepdims: 1 });
}

/** Mean over the axes, which stay with length 1; `count` is how many numbers there are along them. */
export const mean = (g: Graph, x: Value, axes: readonly number[], count: number): Value =>
  mul(g, sum(g, x, axes), 1 / count);

export const reshape = (g: Graph, x: Value, dims: readonly number[]): Value => g.op("Reshape", [x, g.ints(dims)]);

export const transpose = (g: Graph, x: Value, perm: readonly number[]): Value => g.op("Transpose", [x], { perm });

/** 1 where the condition holds, else 0. */
export const indicator = (g: Graph, condition: Value): Value => g.op("Cast", [condition], { to: 1 });

export const isKnown = (shape: Shape | undefined): shape is readonly number[] =>
  shape?.every((dim) => typeof dim === "number") ?? false;

/** `x` in the shape of `like`, which has as many elements. */
export const reshapeLike = (g: Graph, x: Value, like: Value): Value =>
  isKnown(like.shape) ? reshape(g, x, like.shape) : g.op("Reshape", [x, shapeOf(g, like)]);

/** `x` repeated to the shape of `like`. */
export const expandLike = (g: Graph, x: Value, like: Value): Value =>
  g.op("Expand", [x, isKnown(like.shape) ? g.ints(like.shape) : shapeOf(g, like)]);

/** The last two axes exchanged. */
export function matrixTranspose(g: Graph, x: Value): Value {
  const rank = x.shape?.length ?? 2;
  const perm = Array.from({ length: rank }, (_, i) => i);
  return transpose(g, x, [...perm.slice(0, -2), rank - 1, rank - 2]);
}

/** Elements `from` to `to` along an axis. */
export const slice = (g: Graph, x: Value, axis: number, from: number, to: number): Value =>
  g.op("Slice", [x, g.ints([from]), g.ints([to]), g.ints([axis])]);

export const concat = (g: Graph, parts: readonly Value[], axis: number): Value =>
  parts.length === 1 ? parts[0]! : g.op("Concat", parts, { axis });

/** Rows of length 1 along the last axis, a row of zeros left as it is: x / max(|x|, 1e-12), torch's F.normalize. */
export function normalizeRows(g: Graph, x: Value): Value {
  const axis = (x.shape?.length ?? 0) - 1;
  // The axes are an attribute before opset 18 and an input from then on.
  const norm =
    (g.opsets.get("") ?? 0) < 18
      ? g.op("ReduceL2", [x], { axes: [axis], keepdims: 1 })
      : g.op("ReduceL2", [x, g.ints([axis])], { keepdims: 1 });
  return div(g, x, g.op("Max", [norm, g.floats(1e-12)]));
}
