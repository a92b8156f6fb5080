import { normalize, type UnitVector } from "../../src/core/embedding.js";
import { gaussian, seeded } from "../../src/core/random.js";
import { tensor } from "../../src/core/tensor.js";
import type { Graph } from "../../src/onnx/graph.js";
import type { Value } from "../../src/onnx/value.js";
import { layoutDims, wordDims } from "./nano-space.js";
import { type Matrix, ridge } from "./ridge.js";

/** One training window: its features, which concept it is, and how much it counts. */
export interface Example {
  readonly features: Float32Array;
  readonly concept: number;
  readonly weight: number;
}

/**
 * Features to a mixture of concept vectors: standardise, clip, score linearly, softmax, mix. The dimensions that words say
 * nothing about hold a random projection of the features, so that examples can tell apart what no word was bound to.
 */
export interface ConceptHead {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
  /** `[features + 1, concepts]`, the offsets last. */
  readonly scores: Matrix;
  readonly sharpness: number;
  /** Unit vectors of the concepts in the text space. */
  readonly vectors: readonly UnitVector[];
}

/** Standardised features are clipped here, so that a strange window cannot shout. */
const clip = 4;

export interface FitOptions {
  readonly vectors: readonly UnitVector[];
  readonly lambda: number;
  readonly sharpness: number;
  /** 1 gives every concept the same say, 0 every example. */
  readonly balance: number;
}

/** Fits the linear scores to one-hot concepts by ridge regression. */
export function fitConceptHead(
  examples: readonly Example[],
  { vectors, lambda, sharpness, balance }: FitOptions,
): ConceptHead {
  const width = examples[0]!.features.length;
  const { mean, deviation } = moments(examples, width);
  const totals = new Float64Array(vectors.length);
  for (const { concept, weight } of examples) totals[concept]! += weight;
  const weights = Float64Array.from(examples, ({ concept, weight }) => weight * totals[concept]! ** -balance);
  const scale = weights.length / weights.reduce((sum, weight) => sum + weight, 0);
  const inputs = new Float64Array(examples.length * (width + 1));
  const targets = new Float64Array(examples.length * vectors.length);
  for (const [row, { features, concept }] of examples.entries()) {
    for (let i = 0; i < width; i++) inputs[row * (width + 1) + i] = standard(features[i]!, mean[i]!, deviation[i]!);
    inputs[row * (width + 1) + width] = 1;
    targets[row * vectors.length + concept] = 1;
  }
  const scores = ridge(
    { width: width + 1, data: inputs },
    { width: vectors.length, data: targets },
    { lambda, weights: weights.map((weight) => weight * scale) },
  );
  return { mean, deviation, scores, sharpness, vectors };
}

const standard = (x: number, mean: number, deviation: number): number =>
  Math.max(-clip, Math.min(clip, (x - mean) / deviation));

function moments(examples: readonly Example[], width: number): { mean: Float32Array; deviation: Float32Array } {
  const mean = new Float64Array(width);
  const square = new Float64Array(width);
  for (const { features } of examples) for (let i = 0; i < width; i++) mean[i]! += features[i]! / examples.length;
  for (const { features } of examples)
    for (let i = 0; i < width; i++) square[i]! += (features[i]! - mean[i]!) ** 2 / examples.length;
  return { mean: Float32Array.from(mean), deviation: Float32Array.from(square, (x) => Math.sqrt(x) + 1e-3) };
}

/** Length of the projection beside the mixture's 1: a cosine with words loses 4 %. */
const detail = 0.3;

/** Johnson-Lindenstrauss projection of `width` features to the dimensions beyond the words, `[width, layoutDims]`. */
function projection(width: number): Float32Array {
  const random = seeded(11);
  return Float32Array.from({ length: width * layoutDims }, () => gaussian(random) / Math.sqrt(width));
}

/** What the head gives for one window: a unit vector. */
export function applyConceptHead(head: ConceptHead, features: Float32Array): UnitVector {
  const { mean, deviation, scores, sharpness, vectors } = head;
  const k = vectors.length;
  const logits = Float64Array.from({ length: k }, (_, c) => scores.data[mean.length * k + c]!);
  for (let i = 0; i < mean.length; i++) {
    const x = standard(features[i]!, mean[i]!, deviation[i]!);
    for (let c = 0; c < k; c++) logits[c]! += x * scores.data[i * k + c]!;
  }
  const top = Math.max(...logits);
  const mixed = new Float64Array(wordDims);
  for (let c = 0; c < k; c++) {
    const share = Math.exp(sharpness * (logits[c]! - top));
    for (let d = 0; d < wordDims; d++) mixed[d]! += share * vectors[c]![d]!;
  }
  const out = new Float64Array(wordDims + layoutDims);
  out.set(normalize(mixed));
  // The projection is orthogonal to all words: here only its length matters, which is always the same.
  out[wordDims] = detail;
  return normalize(out);
}

/** The same in the graph, with the projection: `[batch, features]` to unit vectors `[batch, dim]`. */
export function addConceptHead(g: Graph, features: Value, head: ConceptHead): Value {
  const { mean, deviation, scores, sharpness, vectors } = head;
  const [width, k] = [mean.length, vectors.length];
  const centred = g.op("Sub", [features, g.weight("mean", tensor([width], mean))]);
  const scaled = g.op("Div", [centred, g.weight("deviation", tensor([width], deviation))]);
  const clipped = g.op("Clip", [scaled, g.floats(-clip), g.floats(clip)]);
  const all = Float32Array.from(scores.data, (x) => x * sharpness);
  const matrix = g.weight("scores", tensor([width, k], all.slice(0, width * k)));
  const offsets = g.weight("offsets", tensor([k], all.slice(width * k)));
  const shares = g.op("Softmax", [g.op("Add", [g.op("MatMul", [clipped, matrix]), offsets])], { axis: 1 });
  const stacked = new Float32Array(k * wordDims);
  for (const [c, vector] of vectors.entries()) stacked.set(vector.subarray(0, wordDims), c * wordDims);
  const mixed = g.op("MatMul", [shares, g.weight("concepts", tensor([k, wordDims], stacked))]);
  const seen = g.op("MatMul", [clipped, g.weight("projection", tensor([width, layoutDims], projection(width)))]);
  const [words, rest] = [unitRows(g, mixed, 1), unitRows(g, seen, detail)];
  return unitRows(g, g.op("Concat", [words, rest], { axis: 1 }), 1);
}

/** Rows scaled to a length; a row of zeros stays one. */
function unitRows(g: Graph, rows: Value, length: number): Value {
  const norm = g.op("Max", [g.op("ReduceL2", [rows], { axes: [1], keepdims: 1 }), g.floats(1e-9)]);
  return g.op("Div", [g.op("Mul", [rows, g.floats(length)]), norm]);
}
