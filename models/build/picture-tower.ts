import { tensor } from "../../src/core/tensor.js";
import { type Graph, graph } from "../../src/onnx/graph.js";
import type { Value } from "../../src/onnx/value.js";
import { type Backbone, backboneFeatures, backboneInput, classProbabilities } from "./efficientnet-lite.js";
import { layoutDims } from "./nano-space.js";
import { orientationGrid } from "./orientation-grid.js";
import { type Packed, packHalf, unpack } from "./packed.js";
import type { Affine } from "./principal.js";
import type { Probe } from "./probe.js";

/** Share of a picture's layout beside its words, whose length is at most 1: an unsure picture is known by its layout. */
export const layoutLength = 0.5;

export interface PictureTower {
  readonly backbone: Backbone;
  /** The points of the 1000 classes in the word space. */
  readonly points: Packed;
  /** From the orientation grid to the layout dimensions. */
  readonly layout: Affine;
  /** What ImageNet has no class of, people, and its point in the word space. */
  readonly person?: { readonly probe: Probe; readonly point: Float32Array };
}

/** How far a picture that surely shows a person leans from its classes to "person". */
const personShare = 0.5;

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

async function embed(g: Graph, tower: PictureTower, pixels: Value, grey: Value): Promise<void> {
  const { backbone, points, layout } = tower;
  const features = backboneFeatures(g, backbone, pixels);
  const classes = g.op("MatMul", [classProbabilities(g, backbone, features), unpack(g, points)]);
  const words = tower.person === undefined ? classes : withPerson(g, features, classes, tower.person);
  const weights = tensor([layout.inputs, layout.outputs], Float32Array.from(layout.weights));
  const projected = g.op("MatMul", [orientationGrid(g, grey), unpack(g, await packHalf("layout", weights, undefined))]);
  const shifted = g.op("Add", [
    projected,
    g.weight("layout.bias", tensor([layoutDims], Float32Array.from(layout.bias))),
  ]);
  // The small constant keeps a layout of length zero from being divided by zero.
  const length = g.op("Sqrt", [
    g.op("Add", [g.op("ReduceSum", [g.op("Mul", [shifted, shifted]), g.ints([1])], { keepdims: 1 }), g.floats(1e-6)]),
  ]);
  const layoutPart = g.op("Mul", [g.op("Div", [shifted, length]), g.floats(layoutLength)]);
  g.output("embedding", g.op("Concat", [words, layoutPart], { axis: 1 }));
}

/** The classes' words, moved towards "person" by the square of the probability that there is one. */
function withPerson(
  g: Graph,
  features: Value,
  classes: Value,
  { probe, point }: NonNullable<PictureTower["person"]>,
): Value {
  const weights = g.weight("person.weight", tensor([probe.weights.length, 1], probe.weights));
  const logit = g.op("Add", [g.op("MatMul", [features, weights]), g.floats([probe.bias])]);
  const probability = g.op("Sigmoid", [logit]);
  // Squared: a person that is less likely than not stays below the floor of what counts as recognised.
  const share = g.op("Mul", [g.op("Mul", [probability, probability]), g.floats(personShare)]);
  const rest = g.op("Mul", [classes, g.op("Sub", [g.floats(1), share])]);
  return g.op("Add", [rest, g.op("Mul", [share, g.weight("person.point", tensor([1, point.length], point))])]);
}
