import { normalize, type UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import { shuffle } from "../core/random.js";

export interface Example {
  readonly label: string;
  readonly vector: UnitVector;
  /** How many examples it counts for in a descent; 1 unless given. */
  readonly weight?: number;
}

/** Weights `[classes, dim + 1]`, the last column being the bias, and the names of the classes. */
export interface LinearClassifier {
  readonly labels: readonly string[];
  readonly dim: number;
  readonly weights: Float64Array;
}

export interface FitOptions {
  /** Strength of the pull towards zero, per example. */
  readonly decay?: number;
  readonly steps?: number;
  /** Inverse temperature of the prototypes that the weights start from. */
  readonly scale?: number;
}

/**
 * Softmax regression on frozen embeddings, the few-shot protocol of ImageBind (arXiv 2305.05665, section 4.3), starting
 * from the class means so that one example a class is already a nearest-mean classifier. Full-batch gradient descent with
 * momentum on the centred examples. Throws `BAD_ARGUMENT` for fewer than two classes.
 */
export function fitLinear(examples: readonly Example[], options: FitOptions = {}): LinearClassifier {
  const { decay = 1e-3, steps = 200, scale = 10 } = options;
  const labels = [...new Set(examples.map((example) => example.label))].sort();
  if (labels.length < 2) {
    throw new SenseError("BAD_ARGUMENT", `a classifier needs examples of two classes, got ${labels.length}`, {
      hint: "Give examples of what it is not, too.",
    });
  }
  const dim = examples[0]!.vector.length;
  const width = dim + 1;
  const target = examples.map((example) => labels.indexOf(example.label));
  const weights = prototypes(examples, target, { classes: labels.length, scale });
  const velocity = new Float64Array(weights.length);
  const gradient = new Float64Array(weights.length);
  const total = examples.reduce((sum, { weight = 1 }) => sum + weight, 0);
  for (let step = 0; step < steps; step++) {
    gradient.fill(0);
    for (let n = 0; n < examples.length; n++) {
      const { vector, weight = 1 } = examples[n]!;
      const share = softmax(logits({ labels, dim, weights }, vector));
      for (let c = 0; c < labels.length; c++) {
        const error = ((share[c]! - (c === target[n] ? 1 : 0)) * weight) / total;
        const at = c * width;
        for (let i = 0; i < dim; i++) gradient[at + i]! += error * vector[i]!;
        gradient[at + dim]! += error;
      }
    }
    for (let i = 0; i < weights.length; i++) {
      velocity[i] = 0.9 * velocity[i]! - (gradient[i]! + decay * weights[i]!);
      weights[i]! += velocity[i]!;
    }
  }
  return { labels, dim, weights };
}

/** Class means less the mean of all, times `scale`: where the descent starts. */
function prototypes(
  examples: readonly Example[],
  target: readonly number[],
  { classes, scale }: { readonly classes: number; readonly scale: number },
): Float64Array {
  const dim = examples[0]!.vector.length;
  const weights = new Float64Array(classes * (dim + 1));
  const counts = new Float64Array(classes);
  const all = new Float64Array(dim);
  examples.forEach(({ vector }, n) => {
    counts[target[n]!]! += 1;
    for (let i = 0; i < dim; i++) all[i]! += vector[i]! / examples.length;
  });
  examples.forEach(({ vector }, n) => {
    const c = target[n]!;
    for (let i = 0; i < dim; i++) weights[c * (dim + 1) + i]! += (scale * (vector[i]! - all[i]!)) / counts[c]!;
  });
  return weights;
}

/** One logit a class. */
export function logits({ labels, dim, weights }: LinearClassifier, vector: UnitVector): Float64Array {
  const out = new Float64Array(labels.length);
  for (let c = 0; c < out.length; c++) {
    const at = c * (dim + 1);
    let sum = weights[at + dim]!;
    for (let i = 0; i < dim; i++) sum += weights[at + i]! * vector[i]!;
    out[c] = sum;
  }
  return out;
}

function softmax(values: Float64Array): Float64Array {
  const highest = Math.max(...values);
  const out = values.map((value) => Math.exp(value - highest));
  const sum = out.reduce((total, value) => total + value, 0);
  return out.map((value) => value / sum);
}

/** The likeliest class and its probability among the classes. */
export function classifyLinear(
  classifier: LinearClassifier,
  vector: UnitVector,
): { label: string; probability: number } {
  const share = softmax(logits(classifier, vector));
  const best = share.reduce((winner, value, c) => (value > share[winner]! ? c : winner), 0);
  return { label: classifier.labels[best]!, probability: share[best]! };
}

/**
 * The direction of a concept taught by examples: their mean, drawn towards the words' direction (where there are words)
 * by as much as `shrinkage` examples would weigh. With few examples the words steady it, with many the examples decide.
 */
export function prototype(examples: readonly UnitVector[], words?: UnitVector, shrinkage = 1): UnitVector {
  const dim = (examples[0] ?? words)!.length;
  const sum = new Float64Array(dim);
  for (const vector of examples) for (let i = 0; i < dim; i++) sum[i]! += vector[i]!;
  if (words) for (let i = 0; i < dim; i++) sum[i]! += shrinkage * words[i]!;
  return normalize(sum);
}

export interface FewShotOptions {
  readonly shots: number;
  readonly draws: number;
  readonly random: () => number;
  readonly fit?: FitOptions;
}

/**
 * Accuracy of `shots` examples a class on all others, over seeded draws: mean and standard deviation. Classes with too
 * few examples to leave one for the test are left out. Throws `BAD_ARGUMENT` where fewer than two classes remain.
 */
export function fewShotAccuracy(
  examples: readonly Example[],
  options: FewShotOptions,
): { accuracy: number; std: number } {
  const { shots, draws, random, fit = {} } = options;
  const labels = [...new Set(examples.map((example) => example.label))];
  const byLabel = labels.map((label) => examples.filter((example) => example.label === label));
  const usable = byLabel.filter((list) => list.length > shots);
  if (usable.length < 2) {
    throw new SenseError(
      "BAD_ARGUMENT",
      `${shots} shots need two classes of more than ${shots} examples, got ${usable.length}`,
      {
        hint: "Add examples or ask for fewer shots.",
      },
    );
  }
  const results = Array.from({ length: draws }, () => {
    const drawn = usable.map((list) => shuffle(list, random));
    const classifier = fitLinear(
      drawn.flatMap((list) => list.slice(0, shots)),
      fit,
    );
    const rest = drawn.flatMap((list) => list.slice(shots));
    return (
      rest.filter((example) => classifyLinear(classifier, example.vector).label === example.label).length / rest.length
    );
  });
  const accuracy = results.reduce((sum, value) => sum + value, 0) / draws;
  const variance = results.reduce((sum, value) => sum + (value - accuracy) ** 2, 0) / draws;
  return { accuracy, std: Math.sqrt(variance) };
}
