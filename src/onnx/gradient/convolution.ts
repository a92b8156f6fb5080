import { reshape, slice, sum, transpose } from "../arithmetic.js";
import { intOf, intsOf } from "../attributes.js";
import type { Node, Value } from "../value.js";
import { type Backward, dimsOf, type GradientRule, unknownShape } from "./rule.js";

interface Form {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly y: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begin of each axis, then end of each. */
  readonly pads: readonly number[];
  readonly group: number;
}

function formOf(node: Node): Form {
  const [x, w, y] = [dimsOf(node.inputs[0], node), dimsOf(node.inputs[1], node), dimsOf(node.outputs[0], node)];
  const rank = x.length - 2;
  const { attributes } = node;
  const strides = intsOf(attributes, "strides") ?? new Array<number>(rank).fill(1);
  const dilations = intsOf(attributes, "dilations") ?? new Array<number>(rank).fill(1);
  const reach = w.slice(2).map((k, i) => dilations[i]! * (k - 1) + 1);
  return {
    x,
    w,
    y,
    strides,
    dilations,
    pads: padsOf(node, { x, y, strides, reach }),
    group: intOf(attributes, "group", 1),
  };
}

/** What was put around x: begin of each axis, then end of each. `reach` is how far a kernel extends. */
export function padsOf(
  { attributes }: Node,
  { x, y, strides, reach }: Pick<Form, "x" | "y" | "strides"> & { readonly reach: readonly number[] },
): readonly number[] {
  const auto = attributes.auto_pad;
  if (auto !== "SAME_UPPER" && auto !== "SAME_LOWER") {
    return intsOf(attributes, "pads") ?? new Array<number>(2 * reach.length).fill(0);
  }
  const total = reach.map((length, i) => Math.max(0, (y[i + 2]! - 1) * strides[i]! + length - x[i + 2]!));
  const less = total.map((n) => Math.floor(n / 2));
  const more = total.map((n, i) => n - less[i]!);
  return auto === "SAME_UPPER" ? [...less, ...more] : [...more, ...less];
}

/** dX is the transposed convolution of dY with the same weights. */
function inputGradient({ g, node, dys }: Backward, form: Form): Value {
  const { x, y, w, strides, dilations, pads, group } = form;
  const space = x.slice(2);
  // What a stride leaves over at the end is not reached by the convolution: zeros are put there.
  const output_padding = space.map((size, i) => {
    const reached = (y[i + 2]! - 1) * strides[i]! + dilations[i]! * (w[i + 2]! - 1) + 1;
    return size + pads[i]! + pads[i + space.length]! - reached;
  });
  const attributes = { strides, dilations, pads, group };
  if (output_padding.every((extra, i) => extra < Math.max(strides[i]!, dilations[i]!))) {
    // The operator has no shape rule here: the reshape says what it gives.
    return reshape(g, g.op("ConvTranspose", [dys[0], node.inputs[1]], { ...attributes, output_padding }), x);
  }
  throw unknownShape(node);
}

/**
 * dW correlates X with dY: a convolution in which samples and channels have changed places, strides and dilations too. The
 * groups go into the channel axis.
 */
function weightGradient({ g, node, dys }: Backward, form: Form): Value {
  const { x, w, strides, dilations, pads, group } = form;
  const [batch, channels, ...space] = x as [number, number, ...number[]];
  const [filters] = w as [number, ...number[]];
  const perGroup = channels / group;
  const rest = space.map((_, i) => i);
  // [N, G, C/G, space] to [C/G, G N, space]
  const split = reshape(g, node.inputs[0]!, [batch, group, perGroup, ...space]);
  const turned = transpose(g, split, [2, 1, 0, ...rest.map((i) => i + 3)]);
  const samples = reshape(g, turned, [perGroup, group * batch, ...space]);
  // [N, F, out] to [F, N, out]
  const kernel = transpose(g, dys[0]!, [1, 0, ...rest.map((i) => i + 2)]);
  const made = g.op("Conv", [samples, kernel], { strides: dilations, dilations: strides, pads, group });
  // Rows beyond the kernel come from pixels that no window reached.
  const cut = space.reduce((value, _, i) => slice(g, value, i + 2, 0, w[i + 2]!), made);
  return transpose(g, reshape(g, cut, [perGroup, filters, ...w.slice(2)]), [1, 0, ...rest.map((i) => i + 2)]);
}

/** A kernel that moves by its own length, as patches do: two products of matrices instead of convolutions. */
function patchGradients({ g, node, dys, needs }: Backward, { x, w, y }: Form): (Value | undefined)[] {
  const [batch, channels] = x as [number, number];
  const [kernel, grid] = [w.slice(2), y.slice(2)];
  const axes = kernel.map((_, i) => i);
  const [patches, size] = [batch * grid.reduce((a, b) => a * b, 1), channels * kernel.reduce((a, b) => a * b, 1)];
  // dY [N, F, grid] to [N grid, F]
  const rows = reshape(g, transpose(g, dys[0]!, [0, ...axes.map((i) => i + 2), 1]), [patches, w[0]!]);
  const flatW = reshape(g, node.inputs[1]!, [w[0]!, size]);
  // x [N, C, g1, k1, g2, k2 ...] to [N, g1, g2 ..., C, k1, k2 ...]
  const cells = axes.flatMap((i) => [grid[i]!, kernel[i]!]);
  const gather = [0, ...axes.map((i) => 2 + 2 * i), 1, ...axes.map((i) => 3 + 2 * i)];
  const dx = (): Value => {
    const flat = g.op("MatMul", [rows, flatW]);
    const whole = reshape(g, flat, [batch, ...grid, channels, ...kernel]);
    const back = gather.map((_, i) => gather.indexOf(i));
    return reshape(g, transpose(g, whole, back), x);
  };
  const dw = (): Value => {
    const split = reshape(g, node.inputs[0]!, [batch, channels, ...cells]);
    const flat = reshape(g, transpose(g, split, gather), [patches, size]);
    return reshape(g, g.op("Gemm", [rows, flat], { transA: 1 }), w);
  };
  return [needs[0] ? dx() : undefined, needs[1] ? dw() : undefined];
}

const isPatches = ({ x, w, strides, dilations, pads, group }: Form): boolean =>
  group === 1 &&
  pads.every((pad) => pad === 0) &&
  strides.every((s, i) => s === w[i + 2] && (dilations[i] === 1 || s === 1) && x[i + 2]! % s === 0);

const convolution: GradientRule = (backward) => {
  const { g, node, dys, needs } = backward;
  const form = formOf(node);
  const [dx, dw] = isPatches(form)
    ? patchGradients(backward, form)
    : [needs[0] ? inputGradient(backward, form) : undefined, needs[1] ? weightGradient(backward, form) : undefined];
  const axes = form.y.map((_, i) => i).filter((i) => i !== 1);
  return [dx, dw, needs[2] ? reshape(g, sum(g, dys[0]!, axes), [form.w[0]!]) : undefined];
};

export const convolutionRules: Readonly<Record<string, GradientRule>> = { Conv: convolution };
