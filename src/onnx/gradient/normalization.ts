import { add, div, mean, mul, reshape, reshapeLike, sqrt, sub, sum } from "../arithmetic.js";
import { floatOf, intOf } from "../attributes.js";
import type { Graph } from "../graph.js";
import type { Attributes, Node, Value } from "../value.js";
import { allOutputs, axisOf, dimsOf, type GradientRule, unbroadcast, unknownShape } from "./rule.js";

/** The axes that are normalised together, and how many numbers lie along them. */
interface Over {
  readonly axes: readonly number[];
  readonly count: number;
}

interface Normalized {
  /** (x - mean) / deviation. */
  readonly hat: Value;
  /** 1 / deviation. */
  readonly inverse: Value;
}

const epsilonOf = (attributes: Attributes): number => floatOf(attributes, "epsilon", 1e-5);

const along = (dims: readonly number[], axes: readonly number[]): Over => ({
  axes,
  count: axes.reduce((n, axis) => n * dims[axis]!, 1),
});

function normalize(g: Graph, x: Value, { axes, count }: Over, epsilon: number): Normalized {
  const centred = sub(g, x, mean(g, x, axes, count));
  const inverse = div(g, 1, sqrt(g, add(g, mean(g, mul(g, centred, centred), axes, count), epsilon)));
  return { hat: mul(g, centred, inverse), inverse };
}

/** dx = (dh - mean(dh) - hat mean(dh hat)) / deviation (Ba et al., arXiv 1607.06450, differentiated). */
function throughNormal(g: Graph, dh: Value, { hat, inverse }: Normalized, { axes, count }: Over): Value {
  const centred = sub(g, dh, mean(g, dh, axes, count));
  return mul(g, inverse, sub(g, centred, mul(g, hat, mean(g, mul(g, dh, hat), axes, count))));
}

/** The kernel's own mean and inverse deviation, which it gives beside its output. */
function byKernel(g: Graph, node: Node): Normalized {
  const [, average, inverse] = allOutputs(g, node, ["mean", "inverse"]);
  return { hat: mul(g, sub(g, node.inputs[0]!, average!), inverse!), inverse: inverse! };
}

const layerNorm: GradientRule = ({ g, node, dys, needs }) => {
  const [x, scale, shift] = node.inputs;
  const [dims, dy] = [dimsOf(x, node), dys[0]!];
  const first = axisOf(intOf(node.attributes, "axis", -1), dims.length);
  const over = along(
    dims,
    dims.map((_, i) => i).filter((i) => i >= first),
  );
  const normal = byKernel(g, node);
  return [
    needs[0] ? throughNormal(g, mul(g, dy, scale!), normal, over) : undefined,
    needs[1] ? unbroadcast(g, mul(g, dy, normal.hat), scale!, node) : undefined,
    needs[2] ? unbroadcast(g, dy, shift!, node) : undefined,
  ];
};

/** A vector of one number a channel as [C, 1, 1 ...], so that it broadcasts over x [N, C, ...]. */
const perChannel = (g: Graph, vector: Value, rank: number, node: Node): Value =>
  reshape(g, vector, [dimsOf(vector, node)[0]!, ...new Array<number>(rank - 2).fill(1)]);

/** Sum over everything but the channels, as a vector; over the channels of each group where there is a number for a group only. */
const overChannels = (g: Graph, x: Value, vector: Value): Value => {
  const [batch, channels, ...space] = x.shape as readonly [number, number, ...number[]];
  const count = vector.shape![0] as number;
  const rows = count === channels ? x : reshape(g, x, [batch, count, channels / count, ...space]);
  const axes = rows.shape!.map((_, i) => i).filter((i) => i !== 1);
  return reshapeLike(g, sum(g, rows, axes), vector);
};

/** Instance and group normalisation: each group of channels of each sample on its own (Wu and He, arXiv 1803.08494). */
const grouped =
  (groupsOf: (node: Node, channels: number) => number): GradientRule =>
  ({ g, node, dys, needs }) => {
    const [x, scale, shift] = node.inputs;
    const [dims, dy] = [dimsOf(x, node), dys[0]!];
    const [batch, channels, ...space] = dims as [number, number, ...number[]];
    const groups = groupsOf(node, channels);
    const each = channels / groups;
    const size = each * space.reduce((a, b) => a * b, 1);
    const rows = [batch, groups, size];
    const over: Over = { axes: [2], count: size };
    const normal = normalize(g, reshape(g, x!, rows), over, epsilonOf(node.attributes));
    // Before opset 21, GroupNormalization has one scale a group.
    const isByGroup = dimsOf(scale, node)[0] !== channels;
    const wide = isByGroup ? g.op("Expand", [reshape(g, scale!, [groups, 1]), g.ints([groups, each])]) : scale!;
    const dh = reshape(g, mul(g, dy, perChannel(g, reshape(g, wide, [channels]), dims.length, node)), rows);
    return [
      needs[0] ? reshape(g, throughNormal(g, dh, normal, over), dims) : undefined,
      needs[1] ? overChannels(g, mul(g, dy, reshape(g, normal.hat, dims)), scale!) : undefined,
      needs[2] ? overChannels(g, dy, shift!) : undefined,
    ];
  };

/** With the running mean and variance it was given (inference mode): an affine map of each channel. */
const batchNorm: GradientRule = ({ g, node, dys, needs }) => {
  const [x, scale, shift, average, variance] = node.inputs;
  if (needs[3] || needs[4]) throw unknownShape(node);
  const [rank, dy] = [dimsOf(x, node).length, dys[0]!];
  const channel = (vector: Value): Value => perChannel(g, vector, rank, node);
  const inverse = div(g, 1, sqrt(g, add(g, variance!, epsilonOf(node.attributes))));
  const hat = (): Value => mul(g, sub(g, x!, channel(average!)), channel(inverse));
  return [
    needs[0] ? mul(g, dy, channel(mul(g, scale!, inverse))) : undefined,
    needs[1] ? overChannels(g, mul(g, dy, hat()), scale!) : undefined,
    needs[2] ? overChannels(g, dy, shift!) : undefined,
  ];
};

/** y = x / |x|: dx = (dy - y sum(dy y)) / |x|, with the sign of x for y in the first place where |x| is the sum of magnitudes. */
const lpNorm: GradientRule = ({ g, node, dys }) => {
  const [x, y, dy] = [node.inputs[0]!, node.outputs[0]!, dys[0]!];
  const axes = [axisOf(intOf(node.attributes, "axis", -1), dimsOf(x, node).length)];
  const isEuclidean = intOf(node.attributes, "p", 2) === 2;
  const norm = isEuclidean ? sqrt(g, sum(g, mul(g, x, x), axes)) : sum(g, g.op("Abs", [x]), axes);
  const direction = isEuclidean ? y : g.op("Sign", [x]);
  const along = sub(g, dy, mul(g, direction, sum(g, mul(g, dy, y), axes)));
  // Not infinite at a vector of zeros (torch's F.normalize).
  return [div(g, along, g.op("Max", [norm, g.floats(1e-12)]))];
};

export const normalizationRules: Readonly<Record<string, GradientRule>> = {
  LayerNormalization: layerNorm,
  InstanceNormalization: grouped((_, channels) => channels),
  GroupNormalization: grouped((node) => intOf(node.attributes, "num_groups", 1)),
  BatchNormalization: batchNorm,
  LpNormalization: lpNorm,
};
