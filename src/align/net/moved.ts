import { add, mul, normalizeRows } from "../../onnx/arithmetic.js";
import { lengthOf } from "./layers.js";
import type { Architecture } from "./net.js";

/**
 * Unit vectors `[n, dim]` of a frozen encoder, each of their numbers scaled and moved, beginning as they are: what is left between
 * an encoder's vectors of two kinds of picture is mostly an offset (the modality gap, Liang et al., arXiv 2203.02053). So few
 * weights are learned from few pairs without forgetting what the encoder knows.
 */
export const moved: Architecture = (net, x) => {
  const { g } = net;
  const dim = lengthOf(x, -1);
  const gain = net.take("gain", [dim], { value: 1 });
  const shift = net.take("shift", [dim], { value: 0 });
  return normalizeRows(g, add(g, mul(g, x, gain), shift));
};
