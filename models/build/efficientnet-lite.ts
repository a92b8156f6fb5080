import { type Tensor, tensor } from "../../src/core/tensor.js";
import type { Checkpoint } from "../../src/encoder/import/checkpoint.js";
import { openCheckpoint } from "../../src/encoder/import/open.js";
import type { ExternalFile } from "../../src/onnx/external.js";
import type { Graph } from "../../src/onnx/graph.js";
import type { Value } from "../../src/onnx/value.js";
import { type Packed, packHalf, packInt8, unpack } from "./packed.js";

/** Strides of the 16 blocks of EfficientNet-Lite0 (Tan & Le 2019; efficientnet_lite_builder.py of tensorflow/tpu). */
const strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1];
/** batch_norm_epsilon of the same file. */
const epsilon = 1e-3;

/** Side of the pictures that it was trained on, and their values: (u8 - 127) / 128. */
export const backboneInput = { size: 224, mean: 127 / 255, std: 128 / 255 };
export const featureWidth = 1280;

/** A convolution with its batch normalisation folded in. */
interface FoldedConv {
  readonly weight: Packed;
  readonly bias: Float32Array;
}

export interface Backbone {
  readonly convs: ReadonlyMap<string, FoldedConv>;
  readonly classifier: { readonly weight: Packed; readonly bias: Float32Array };
}

export interface PackOptions {
  /** `int8`: pointwise convolutions and the classifier in 8 bits, the small kernels in float16; `float16`: all of them. */
  readonly precision: "int8" | "float16";
  /** A file that several towers share. */
  readonly place: ExternalFile;
}

/** Reads the state dict of efficientnet_lite0_pytorch and packs it. */
export async function packBackbone(path: string, { precision, place }: PackOptions): Promise<Backbone> {
  await using weights = await openCheckpoint(path);
  const pack = (name: string, value: Tensor<Float32Array>, pointwise: boolean): Promise<Packed> =>
    pointwise && precision === "int8" ? packInt8(name, value, { place }) : packHalf(name, value, place);
  const convs = new Map<string, FoldedConv>();
  for (const [conv, norm] of foldable(weights)) {
    const { weight, bias } = await fold(weights, conv, norm);
    convs.set(conv, { weight: await pack(conv, weight, weight.dims[2] === 1), bias });
  }
  const { dims, data } = await weights.floats("_fc.weight");
  const classifier = {
    weight: await pack("classifier", tensor(dims, data), true),
    bias: (await weights.floats("_fc.bias")).data,
  };
  return { convs, classifier };
}

/** Each convolution with the batch normalisation that follows it. */
function foldable({ tensors }: Checkpoint): [conv: string, norm: string][] {
  const pairs: [string, string][] = [["_conv_stem", "_bn0"]];
  for (const i of strides.keys()) {
    const at = `_blocks.${i}`;
    if (tensors.has(`${at}._expand_conv.weight`)) pairs.push([`${at}._expand_conv`, `${at}._bn0`]);
    pairs.push([`${at}._depthwise_conv`, `${at}._bn1`], [`${at}._project_conv`, `${at}._bn2`]);
  }
  pairs.push(["_conv_head", "_bn1"]);
  return pairs;
}

async function fold(
  weights: Checkpoint,
  conv: string,
  norm: string,
): Promise<{ weight: Tensor<Float32Array>; bias: Float32Array }> {
  const { dims, data } = await weights.floats(`${conv}.weight`);
  const [gain, offset, mean, variance] = await Promise.all(
    ["weight", "bias", "running_mean", "running_var"].map(
      async (part) => (await weights.floats(`${norm}.${part}`)).data,
    ),
  );
  const factor = gain!.map((value, i) => value / Math.sqrt(variance![i]! + epsilon));
  const each = data.length / dims[0]!;
  const folded = data.map((value, i) => value * factor[Math.floor(i / each)]!);
  return { weight: tensor(dims, folded), bias: offset!.map((value, i) => value - mean![i]! * factor[i]!) };
}

/** Pictures `[batch, 3, 224, 224]` to pooled features `[batch, 1280]`. */
export function backboneFeatures(g: Graph, { convs }: Backbone, pixels: Value): Value {
  const [low, high] = [g.floats(0, "relu6.low"), g.floats(6, "relu6.high")];
  const conv = (x: Value, name: string, stride = 1): Value => {
    const { weight, bias } = convs.get(name)!;
    const group = name.endsWith("depthwise_conv") ? weight.dims[0]! : 1;
    const inputs = [x, unpack(g, weight), g.weight(`${name}.bias`, tensor([bias.length], bias))];
    // TensorFlow's SAME: an odd pixel of padding goes to the right and the bottom.
    return g.op("Conv", inputs, {
      auto_pad: "SAME_UPPER",
      strides: [stride, stride],
      group,
      kernel_shape: weight.dims.slice(2),
    });
  };
  const relu6 = (x: Value): Value => g.op("Clip", [x, low, high]);
  let x = relu6(conv(pixels, "_conv_stem", 2));
  for (const [i, stride] of strides.entries()) {
    const at = `_blocks.${i}`;
    const wide = convs.has(`${at}._expand_conv`) ? relu6(conv(x, `${at}._expand_conv`)) : x;
    const out = conv(relu6(conv(wide, `${at}._depthwise_conv`, stride)), `${at}._project_conv`);
    const [from, to] = [x.shape?.[1], convs.get(`${at}._project_conv`)!.bias.length];
    x = stride === 1 && from === to ? g.op("Add", [out, x]) : out;
  }
  return g.op("Flatten", [g.op("GlobalAveragePool", [relu6(conv(x, "_conv_head"))])]);
}

/** Features to the probabilities of the 1000 ImageNet classes `[batch, 1000]`. */
export function classProbabilities(g: Graph, { classifier: { weight, bias } }: Backbone, features: Value): Value {
  const logits = g.op("Gemm", [features, unpack(g, weight), g.weight("classifier.bias", tensor([bias.length], bias))], {
    transB: 1,
  });
  return g.op("Softmax", [logits], { axis: 1 });
}
