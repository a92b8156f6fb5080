import { intOf, intsOf } from "./attributes.js";
import { mismatch, type Rule, shapeText } from "./shape-rule.js";
import type { Dim, Node } from "./value.js";

/** The length of a convolution's or pool's output along one axis. */
function windowed({ attributes }: Node, dim: Dim, kernel: number, axis: number): Dim {
  const pads = intsOf(attributes, "pads");
  const stride = intsOf(attributes, "strides")?.[axis] ?? 1;
  const dilation = intsOf(attributes, "dilations")?.[axis] ?? 1;
  const rank = (pads?.length ?? 0) / 2;
  const auto = attributes.auto_pad;
  if (typeof dim !== "number" || intOf(attributes, "ceil_mode", 0) === 1) return "?";
  if (auto === "SAME_UPPER" || auto === "SAME_LOWER") return Math.ceil(dim / stride);
  const padding = pads === undefined ? 0 : pads[axis]! + pads[axis + rank]!;
  return Math.floor((dim + padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

export const conv: Rule = (node, [x, w]) => {
  if (x?.shape === undefined || w?.shape === undefined) return [{ type: x?.type }];
  const [batch, channels, ...space] = x.shape;
  const [filters, perGroup, ...kernel] = w.shape;
  const group = intOf(node.attributes, "group", 1);
  if (typeof channels === "number" && typeof perGroup === "number" && channels !== perGroup * group) {
    mismatch(node, `weights ${shapeText(w.shape)} in ${group} groups do not fit ${channels} channels`);
  }
  return [{ type: x.type, shape: [batch!, filters!, ...space.map((d, i) => windowed(node, d, Number(kernel[i]), i))] }];
};

export const pool: Rule = (node, [x]) => {
  const kernel = intsOf(node.attributes, "kernel_shape");
  if (x?.shape === undefined || kernel === undefined) return [{ type: x?.type }];
  const [batch, channels, ...space] = x.shape;
  return [{ type: x.type, shape: [batch!, channels!, ...space.map((d, i) => windowed(node, d, kernel[i]!, i))] }];
};

export const globalPool: Rule = (_, [x]) => [
  { type: x?.type, shape: x?.shape?.map((dim, i): Dim => (i < 2 ? dim : 1)) },
];
