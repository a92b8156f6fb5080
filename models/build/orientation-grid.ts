import { tensor } from "../../src/core/tensor.js";
import type { Graph } from "../../src/onnx/graph.js";
import type { Value } from "../../src/onnx/value.js";

const directions = 4;
const cell = 16;
const cells = 14;
export const gridSide = cell * cells;
export const gridWidth = directions * cells * cells;

/**
 * Where a picture has edges and which way they run: grey `[batch, 1, 224, 224]` in 0..1 to `[batch, 784]`. Histograms of oriented
 * gradients (Dalal & Triggs 2005) with four directions, no sign, and contrast normalised over neighbouring cells: a warm thing
 * may be brighter or darker in the visible, but its outline is the same one, and in depth too.
 */
export function orientationGrid(g: Graph, grey: Value): Value {
  const steered = new Float32Array(directions * 9);
  const [across, down] = [
    [-1, 0, 1, -2, 0, 2, -1, 0, 1],
    [-1, -2, -1, 0, 0, 0, 1, 2, 1],
  ];
  for (let k = 0; k < directions; k++)
    for (let i = 0; i < 9; i++) {
      const angle = (Math.PI * k) / directions;
      steered[k * 9 + i] = (across![i]! * Math.cos(angle) + down![i]! * Math.sin(angle)) / 4;
    }
  const slope = g.op("Conv", [grey, g.weight("sobel", tensor([directions, 1, 3, 3], steered))], {
    kernel_shape: [3, 3],
  });
  const squared = g.op("Mul", [slope, slope]);
  // The squares over evenly spread directions add up to directions / 2 times the squared magnitude.
  const energy = g.op("Add", [
    g.op("Mul", [g.op("ReduceSum", [squared, g.ints([1])], { keepdims: 1 }), g.floats(2 / directions)]),
    g.floats(1e-8),
  ]);
  const sharpened = g.op("Div", [g.op("Mul", [squared, squared]), g.op("Mul", [energy, g.op("Sqrt", [energy])])]);
  const pooled = g.op("AveragePool", [sharpened], {
    kernel_shape: [cell, cell],
    strides: [cell, cell],
    pads: [1, 1, 1, 1],
    count_include_pad: 1,
  });
  const contrast = g.op("AveragePool", [g.op("ReduceSum", [pooled, g.ints([1])], { keepdims: 1 })], {
    kernel_shape: [3, 3],
    strides: [1, 1],
    pads: [1, 1, 1, 1],
  });
  const relative = g.op("Div", [pooled, g.op("Add", [contrast, g.floats(1e-3)])]);
  return g.op("Flatten", [g.op("Sqrt", [relative])]);
}
