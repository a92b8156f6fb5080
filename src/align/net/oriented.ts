import { add, concat, div, mul, reshape, sqrt, sum } from "../../onnx/arithmetic.js";
import type { Graph } from "../../onnx/graph.js";
import type { Value } from "../../onnx/value.js";
import { type HeadOptions, head } from "./architectures.js";
import { lengthOf } from "./layers.js";
import type { Architecture } from "./net.js";

/** Directions of edges that are told apart, over half a turn. */
const directions = 8;

/** Derivatives along x and y (Sobel), as two filters of one plane. */
const sobel = Float32Array.of(-1, 0, 1, -2, 0, 2, -1, 0, 1, -1, -2, -1, 0, 0, 0, 1, 2, 1);

/** Cells along each side, at each scale. */
const scales = [14, 7, 4] as const;

export interface OrientedOptions extends HeadOptions {
  /** Cells along each side, at each scale. */
  readonly cells?: readonly number[];
}

/**
 * Of maps `[n, 1, height, width]`: where edges of which direction lie (histograms of oriented gradients, Dalal and Triggs 2005),
 * which look alike to a camera, a thermal imager and a depth camera, then a learned head. Learns from far fewer pairs than a
 * network that must find edges by itself.
 */
export const oriented =
  ({ cells = scales, ...options }: OrientedOptions): Architecture =>
  (net, x) =>
    head(options)(net, edges(net.g, x, cells));

/** Features `[n, directions x cells]` of maps `[n, 1, height, width]`. */
export function edges(g: Graph, x: Value, cells: readonly number[]): Value {
  const slopes = g.op("Conv", [x, g.weight("sobel", { dims: [2, 1, 3, 3], data: sobel })], {});
  // The energy along each direction: (gx cos a + gy sin a)^2, sharpened so that neighbours do not share it.
  const turns = Float32Array.from({ length: directions * 2 }, (_, i) => {
    const angle = (Math.PI * Math.floor(i / 2)) / directions;
    return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
  });
  const along = g.op("Conv", [slopes, g.weight("turns", { dims: [directions, 2, 1, 1], data: turns })], {});
  const energy = mul(g, along, along);
  const total = add(g, sum(g, energy, [1]), 1e-6);
  const share = div(g, mul(g, energy, energy), total);
  const strength = div(g, share, sqrt(g, total));
  const [height, width] = [lengthOf(strength, 2), lengthOf(strength, 3)];
  const grids = cells.map((count) => {
    const size = [Math.floor(height / count), Math.floor(width / count)];
    const pooled = g.op("AveragePool", [strength], { kernel_shape: size, strides: size });
    // Each cell against the light around it: a faint scene has its edges too.
    const around = add(g, sum(g, pooled, [1]), 1e-3);
    const flat = sqrt(g, div(g, pooled, around));
    return reshape(g, flat, [-1, directions * lengthOf(flat, 2) * lengthOf(flat, 3)]);
  });
  return concat(g, grids, 1);
}
