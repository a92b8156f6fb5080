import { tensor } from "../../src/core/tensor.js";
import { type Graph, graph } from "../../src/onnx/graph.js";
import type { Value } from "../../src/onnx/value.js";
import { type Backbone, backboneFeatures, backboneInput, classProbabilities } from "./efficientnet-lite.js";
import { layoutDims } from "./nano-space.js";
import { orientationGrid } from "./orientation-grid.js";
import { type Packed, packHalf, unpack } from "./packed.js";
import type { Affine } from "./principal.js";

/** Share of a picture's layout beside its words, whose length is at most 1: an unsure picture is known by its layout. */
export const layoutLength = 0.5;

export interface PictureTower {
  readonly backbone: Backbone;
  /** The points of the 1000 classes in the word space. */
  readonly points: Packed;
  /** From the orientation grid to the layout dimensions. */
  readonly layout: Affine;
}

/** The camera tower: `pixels` `[batch, 3, 224, 224]`, normalised, to `embedding` `[batch, 512]`. */
export async function cameraGraph(tower: PictureTower): Promise<Graph> {
  const g = graph({ name: "vision" });
  const { size, mean, std } = backboneInput;
  const pixels = g.input("pixels", "float32", ["batch", 3, size, size]);
  // ITU-R 601-2 luma of the picture before it was normalised.
  const luma = Float32Array.from([0.299, 0.587, 0.114], (weight) => weight * std);
  const grey = g.op("Conv", [pixels, g.weight("luma", tensor([1, 3, 1, 1], luma)), g.floats([mean])], {
    kernel_shape: [1, 1],
  });
  await embed(g, tower, pixels, grey);
  return g;
}

/** The tower of a sensor that gives one plane in 0..1, thermal or depth: `pixels` `[batch, 1, 224, 224]` to `embedding` `[batch, 512]`. */
export async function planeGraph(name: string, tower: PictureTower, brightness = 1): Promise<Graph> {
  const g = graph({ name });
  const { size, mean, std } = backboneInput;
  const plane = g.input("pixels", "float32", ["batch", 1, size, size]);
  const lit =
    brightness === 1 ? plane : g.op("Clip", [g.op("Mul", [plane, g.floats(brightness)]), g.floats(0), g.floats(1)]);
  const one = g.op("Div", [g.op("Sub", [lit, g.floats(mean)]), g.floats(std)]);
  await embed(g, tower, g.op("Concat", [one, one, one], { axis: 1 }), plane);
  return g;
}

async function embed(g: Graph, { backbone, points, layout }: PictureTower, pixels: Value, grey: Value): Promise<void> {
  const probabilities = classProbabilities(g, backbone, backboneFeatures(g, backbone, pixels));
  const words = g.op("MatMul", [probabilities, unpack(g, points)]);
  const weights = tensor([layout.inputs, layout.outputs], Float32Array.from(layout.weights));
  const projected = g.op("MatMul", [orientationGrid(g, grey), unpack(g, await packHalf("layout", weights, undefined))]);
  const shifted = g.op("Add", [
    projected,
    g.weight("layout.bias", tensor([layoutDims], Float32Array.from(layout.bias))),
  ]);
  // A blank picture has no layout: the small constant keeps it at zero length instead of dividing by zero.
  const length = g.op("Sqrt", [
    g.op("Add", [g.op("ReduceSum", [g.op("Mul", [shifted, shifted]), g.ints([1])], { keepdims: 1 }), g.floats(1e-6)]),
  ]);
  const layoutPart = g.op("Mul", [g.op("Div", [shifted, length]), g.floats(layoutLength)]);
  g.output("embedding", g.op("Concat", [words, layoutPart], { axis: 1 }));
}
