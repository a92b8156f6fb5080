import { div, exp, expandLike, indicator, mul, reshape, sub, sum } from "../arithmetic.js";
import { intOf, intsOf } from "../attributes.js";
import { constantInts } from "../constant.js";
import type { Graph } from "../graph.js";
import type { Node, Value } from "../value.js";
import { axisOf, type Backward, dimsOf, type GradientRule } from "./rule.js";

interface Reduced {
  readonly x: Value;
  /** Output and its gradient with the reduced axes at length 1. */
  readonly y: Value;
  readonly dy: Value;
  readonly axes: readonly number[];
  /** How many numbers went into one. */
  readonly count: number;
}

function axesOf(node: Node, rank: number): readonly number[] {
  const given = intsOf(node.attributes, "axes") ?? constantInts(node.inputs[1]) ?? [];
  const isAll = given.length === 0 && intOf(node.attributes, "noop_with_empty_axes", 0) === 0;
  return isAll ? Array.from({ length: rank }, (_, i) => i) : given.map((axis) => axisOf(axis, rank));
}

const reduction =
  (derive: (g: Graph, reduced: Reduced) => Value): GradientRule =>
  ({ g, node, dys }: Backward) => {
    const x = node.inputs[0]!;
    const dims = dimsOf(x, node);
    const axes = axesOf(node, dims.length);
    const kept = dims.map((dim, i) => (axes.includes(i) ? 1 : dim));
    const whole = (value: Value): Value => (value.shape?.length === dims.length ? value : reshape(g, value, kept));
    const count = axes.reduce((n, axis) => n * dims[axis]!, 1);
    return [derive(g, { x, y: whole(node.outputs[0]!), dy: whole(dys[0]!), axes, count })];
  };

/** In equal parts to each place that holds the extremum (torch.amax). */
const extremum = reduction((g, { x, y, dy, axes }) => {
  const hit = indicator(g, g.op("Equal", [x, y]));
  return mul(g, hit, div(g, dy, sum(g, hit, axes)));
});

/** dx = y (dy - sum(dy y)) along the axis. */
const softmax: GradientRule = ({ g, node, dys }) => {
  const [y, dy] = [node.outputs[0]!, dys[0]!];
  const axis = intOf(node.attributes, "axis", -1);
  return [mul(g, y, sub(g, dy, sum(g, mul(g, dy, y), [axis])))];
};

/** dx = dy - exp(y) sum(dy) along the axis. */
const logSoftmax: GradientRule = ({ g, node, dys }) => {
  const dy = dys[0]!;
  const axis = intOf(node.attributes, "axis", -1);
  return [sub(g, dy, mul(g, exp(g, node.outputs[0]!), sum(g, dy, [axis])))];
};

export const reductionRules: Readonly<Record<string, GradientRule>> = {
  ReduceSum: reduction((g, { x, dy }) => expandLike(g, dy, x)),
  ReduceMean: reduction((g, { x, dy, count }) => expandLike(g, mul(g, dy, 1 / count), x)),
  ReduceMax: extremum,
  ReduceMin: extremum,
  ReduceSumSquare: reduction((g, { x, dy }) => mul(g, x, mul(g, dy, 2))),
  // Zero at a vector of zeros, where the norm has no slope (torch.norm).
  ReduceL2: reduction((g, { x, y, dy }) =>
    mul(g, x, g.op("Where", [g.op("Equal", [y, g.floats(0)]), g.floats(0), div(g, dy, y)])),
  ),
  ReduceL1: reduction((g, { x, dy }) => mul(g, dy, g.op("Sign", [x]))),
  ReduceLogSumExp: reduction((g, { x, y, dy }) => mul(g, exp(g, sub(g, x, y)), dy)),
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  GlobalAveragePool: ({ g, node, dys }) => {
    const x = node.inputs[0]!;
    const area = dimsOf(x, node)
      .slice(2)
      .reduce((a, b) => a * b, 1);
    return [expandLike(g, mul(g, dys[0]!, 1 / area), x)];
  },
};
