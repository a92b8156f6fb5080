import { SenseError } from "../../core/errors.js";
import { concat, expandLike, mul, reshape, reshapeLike, slice, sum, transpose } from "../arithmetic.js";
import { intOf, intsOf } from "../attributes.js";
import { constantInts } from "../constant.js";
import type { Graph } from "../graph.js";
import type { Value } from "../value.js";
import { axisOf, dimsOf, type GradientRule, unknownShape } from "./rule.js";

const reshaped: GradientRule = ({ g, node, dys }) => [reshapeLike(g, dys[0]!, node.inputs[0]!)];

const transposed: GradientRule = ({ g, node, dys }) => {
  const rank = dimsOf(node.inputs[0], node).length;
  const perm = intsOf(node.attributes, "perm") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const inverse = perm.map((_, i) => perm.indexOf(i));
  return [transpose(g, dys[0]!, inverse)];
};

const concatenated: GradientRule = ({ g, node, dys, needs }) => {
  const rank = dimsOf(node.inputs[0], node).length;
  const axis = axisOf(intOf(node.attributes, "axis", 0), rank);
  let at = 0;
  return node.inputs.map((input, i) => {
    const from = at;
    at += dimsOf(input, node)[axis]!;
    return needs[i] ? slice(g, dys[0]!, axis, from, at) : undefined;
  });
};

const split: GradientRule = ({ g, node, dys }) => {
  const rank = dimsOf(node.inputs[0], node).length;
  const axis = axisOf(intOf(node.attributes, "axis", 0), rank);
  return [
    concat(
      g,
      node.outputs.map((y, i) => dys[i] ?? expandLike(g, g.floats(0), y)),
      axis,
    ),
  ];
};

const zeros = (g: Graph, dims: readonly number[]): Value => g.op("Expand", [g.floats(0), g.ints(dims)]);

/** Puts dy back where it was cut from: padded with zeros, or scattered where the step is not 1. */
const sliced: GradientRule = ({ g, node, dys }) => {
  const [x, starts, ends, over, steps] = node.inputs;
  const dims = dimsOf(x, node);
  const [from, to] = [constantInts(starts), constantInts(ends)];
  const axes = over === undefined ? from?.map((_, i) => i) : constantInts(over);
  const strides = steps === undefined ? from?.map(() => 1) : constantInts(steps);
  if (from === undefined || to === undefined || axes === undefined || strides === undefined) throw unknownShape(node);
  let dy = dys[0]!;
  for (const [i, listed] of axes.entries()) {
    const axis = axisOf(listed, dims.length);
    const [size, step] = [dims[axis]!, strides[i]!];
    // ONNX Slice: a start beyond the end is clamped to the last element when going backwards.
    const first = Math.min(Math.max(from[i]! < 0 ? from[i]! + size : from[i]!, 0), step > 0 ? size : size - 1);
    const length = dimsOf(dy, node)[axis]!;
    dy = step === 1 ? padded(g, dy, { axis, before: first, size }) : spread(g, dy, { axis, first, step, size, length });
  }
  return [dy];
};

function padded(g: Graph, x: Value, at: { axis: number; before: number; size: number }): Value {
  const dims = x.shape as readonly number[];
  const gap = (n: number): Value => zeros(g, dims.with(at.axis, n));
  const after = at.size - at.before - dims[at.axis]!;
  const parts = [...(at.before > 0 ? [gap(at.before)] : []), x, ...(after > 0 ? [gap(after)] : [])];
  return concat(g, parts, at.axis);
}

function spread(
  g: Graph,
  x: Value,
  at: { axis: number; first: number; step: number; size: number; length: number },
): Value {
  const dims = x.shape as readonly number[];
  const along = Array.from({ length: at.length }, (_, i) => at.first + i * at.step);
  const shape = dims.map((_, i) => (i === at.axis ? at.length : 1));
  const indices = g.op("Expand", [g.op("Reshape", [g.ints(along), g.ints(shape)]), g.ints(dims)]);
  return g.op("ScatterElements", [zeros(g, dims.with(at.axis, at.size)), indices, x], { axis: at.axis });
}

/** Adds dy up at the rows that were taken; a row taken twice gets both. */
const gathered: GradientRule = ({ g, node, dys }) => {
  const [x, indices] = node.inputs;
  const dims = dimsOf(x, node);
  const taken = dimsOf(indices, node);
  const axis = axisOf(intOf(node.attributes, "axis", 0), dims.length);
  // The taken axes go first, since ScatterND addresses leading axes.
  const rank = dims.length - 1 + taken.length;
  const own = Array.from({ length: taken.length }, (_, i) => axis + i);
  const rest = Array.from({ length: rank }, (_, i) => i).filter((i) => !own.includes(i));
  const updates = transpose(g, dys[0]!, [...own, ...rest]);
  const long = indices!.type === "int64" ? indices! : g.op("Cast", [indices], { to: 7 });
  const wrapped = g.op("Where", [g.op("Less", [long, g.ints(0)]), g.op("Add", [long, g.ints(dims[axis]!)]), long]);
  const rows = g.op("Reshape", [wrapped, g.ints([...taken, 1])]);
  const front = [dims[axis]!, ...dims.filter((_, i) => i !== axis)];
  const summed = g.op("ScatterND", [zeros(g, front), rows, updates], { reduction: "add" });
  const back = Array.from({ length: dims.length }, (_, i) => (i === axis ? 0 : i < axis ? i + 1 : i));
  return [transpose(g, summed, back)];
};

/** What was cut off at a side gets zeros, what was put there is cut off. */
const padRule: GradientRule = ({ g, node, dys, needs }) => {
  const [x, pads, , listed] = node.inputs;
  const dims = dimsOf(x, node);
  const amounts = constantInts(pads) ?? intsOf(node.attributes, "pads");
  const axes = listed === undefined ? dims.map((_, i) => i) : constantInts(listed);
  const mode = node.attributes.mode ?? "constant";
  if (mode !== "constant" || needs[2]) {
    throw new SenseError("BAD_MODEL", `Pad (${node.name}) has a gradient only where it fills up with a constant`);
  }
  if (amounts === undefined || axes === undefined) throw unknownShape(node);
  let dy = dys[0]!;
  for (const [i, given] of axes.entries()) {
    const axis = axisOf(given, dims.length);
    const [before, after, size] = [amounts[i]!, amounts[i + axes.length]!, dims[axis]!];
    const from = Math.max(0, before);
    const kept = slice(g, dy, axis, from, from + size + Math.min(0, before) + Math.min(0, after));
    dy = before < 0 || after < 0 ? padded(g, kept, { axis, before: Math.max(0, -before), size }) : kept;
  }
  return [dy];
};

/** The sum over the copies. */
const tiled: GradientRule = ({ g, node, dys }) => {
  const dims = dimsOf(node.inputs[0], node);
  const repeats = constantInts(node.inputs[1]);
  if (repeats === undefined) throw unknownShape(node);
  const apart = reshape(
    g,
    dys[0]!,
    dims.flatMap((dim, i) => [repeats[i]!, dim]),
  );
  return [
    reshape(
      g,
      sum(
        g,
        apart,
        dims.map((_, i) => 2 * i),
      ),
      dims,
    ),
  ];
};

/** Adds dy up at the elements that were taken. */
const gatheredElements: GradientRule = ({ g, node, dys }) => {
  const [x, indices] = node.inputs;
  const axis = intOf(node.attributes, "axis", 0);
  return [g.op("ScatterElements", [zeros(g, dimsOf(x, node)), indices, dys[0]], { axis, reduction: "add" })];
};

const cumulative: GradientRule = ({ g, node, dys }) => {
  const [exclusive, reverse] = [intOf(node.attributes, "exclusive", 0), intOf(node.attributes, "reverse", 0)];
  return [g.op("CumSum", [dys[0], node.inputs[1]], { exclusive, reverse: 1 - reverse })];
};

export const shapeRules: Readonly<Record<string, GradientRule>> = {
  Reshape: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Flatten: reshaped,
  Transpose: transposed,
  Concat: concatenated,
  Split: split,
  Slice: sliced,
  Gather: gathered,
  GatherElements: gatheredElements,
  Pad: padRule,
  Tile: tiled,
  CumSum: cumulative,
  Trilu: ({ g, node, dys }) => {
    const [x, k] = node.inputs;
    const upper = intOf(node.attributes, "upper", 1);
    const ones = g.op("Trilu", [expandLike(g, g.floats(1), x!), k], { upper });
    return [mul(g, dys[0]!, ones)];
  },
};
