import { div, indicator, mul, reshape, sum } from "../arithmetic.js";
import { intOf, intsOf } from "../attributes.js";
import type { Graph } from "../graph.js";
import type { Node, Value } from "../value.js";
import { padsOf } from "./convolution.js";
import { allOutputs, dimsOf, type GradientRule, unknownShape } from "./rule.js";

/** How many numbers each window averages: those that are padding are left out unless the node says so. */
function counts(g: Graph, { attributes }: Node, space: readonly number[], area: number): Value {
  const ones = g.weight("ones", {
    dims: [1, 1, ...space],
    data: new Float32Array(space.reduce((a, b) => a * b, 1)).fill(1),
  });
  return mul(g, g.op("AveragePool", [ones], { ...attributes, count_include_pad: 1 }), area);
}

/** Each window gives its gradient back in equal parts: the transposed convolution with ones, channel by channel. */
const averagePool: GradientRule = ({ g, node, dys }) => {
  const [x, y] = [dimsOf(node.inputs[0], node), dimsOf(node.outputs[0], node)];
  const { attributes } = node;
  const kernel = intsOf(attributes, "kernel_shape")!;
  const strides = intsOf(attributes, "strides") ?? kernel.map(() => 1);
  const dilations = intsOf(attributes, "dilations") ?? kernel.map(() => 1);
  const reach = kernel.map((k, i) => dilations[i]! * (k - 1) + 1);
  const pads = padsOf(node, { x, y, strides, reach });
  const [batch, channels, ...space] = x as [number, number, ...number[]];
  const output_padding = space.map(
    (size, i) => size + pads[i]! + pads[i + space.length]! - ((y[i + 2]! - 1) * strides[i]! + reach[i]!),
  );
  const isReached = output_padding.every((extra, i) => extra >= 0 && extra < Math.max(strides[i]!, dilations[i]!));
  if (!isReached) throw unknownShape(node);
  const area = kernel.reduce((a, b) => a * b, 1);
  const isEven = pads.every((pad) => pad === 0) || intOf(attributes, "count_include_pad", 0) === 1;
  const share = isEven ? mul(g, dys[0]!, 1 / area) : div(g, dys[0]!, counts(g, node, space, area));
  const ones = g.weight("ones", { dims: [1, 1, ...kernel], data: new Float32Array(area).fill(1) });
  const rows = reshape(g, share, [batch * channels, 1, ...y.slice(2)]);
  const spread = g.op("ConvTranspose", [rows, ones], { strides, dilations, pads, output_padding });
  return [reshape(g, spread, x)];
};

/** dy to the place that the kernel itself took the number from. */
const maxPool: GradientRule = ({ g, node, dys }) => {
  const dims = dimsOf(node.inputs[0], node);
  if (intOf(node.attributes, "storage_order", 0) !== 0) throw unknownShape(node);
  const [, places] = allOutputs(g, node, ["places"]);
  const zeros = g.op("Expand", [g.floats(0), g.ints([dims.reduce((a, b) => a * b, 1)])]);
  const flat = [reshape(g, places!, [-1]), reshape(g, dys[0]!, [-1])];
  return [reshape(g, g.op("ScatterElements", [zeros, ...flat], { axis: 0, reduction: "add" }), dims)];
};

/** In equal parts to each place that holds the greatest number (torch.amax). */
const globalMaxPool: GradientRule = ({ g, node, dys }) => {
  const x = node.inputs[0]!;
  const axes = dimsOf(x, node).flatMap((_, i) => (i < 2 ? [] : [i]));
  const hit = indicator(g, g.op("Equal", [x, node.outputs[0]]));
  return [mul(g, hit, div(g, dys[0]!, sum(g, hit, axes)))];
};

export const poolingRules: Readonly<Record<string, GradientRule>> = {
  AveragePool: averagePool,
  GlobalMaxPool: globalMaxPool,
  MaxPool: maxPool,
};
