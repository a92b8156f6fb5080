import { type Matrix, ridge } from "./ridge.js";

/** A picture's features and whether it shows the thing. */
export interface Example {
  readonly features: Float32Array;
  readonly shows: boolean;
  /** Examples of one fold are held out together. */
  readonly fold: number;
  /** Whether it is of the kind that the tower will see: those calibrate the probability. */
  readonly own: boolean;
}

/** `sigmoid(features . weights + bias)` is the probability that a picture shows the thing. */
export interface Probe {
  readonly weights: Float32Array;
  readonly bias: number;
}

export interface ProbeReport {
  readonly probe: Probe;
  /** Share of pairs of an example that shows it and one that does not which held-out scores put in the right order. */
  readonly auc: number;
  readonly positives: number;
  readonly negatives: number;
}

/**
 * A linear probe: ridge on the two classes, balanced, then Platt's logistic calibration (Platt 1999) on the scores of folds
 * that were held out. `lambda` is in units of the features' mean variance.
 */
export function fitProbe(
  examples: readonly Example[],
  { lambda, folds }: { readonly lambda: number; readonly folds: number },
): ProbeReport {
  const held: { score: number; shows: boolean }[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const line = fitLine(
      examples.filter((example) => example.fold !== fold),
      lambda,
    );
    for (const { features, shows } of examples.filter((example) => example.fold === fold && example.own))
      held.push({ score: scoreOf(line, features), shows });
  }
  const { slope, offset } = platt(held);
  const { weights, bias } = fitLine(examples, lambda);
  const probe = { weights: weights.map((weight) => weight * slope), bias: bias * slope + offset };
  const positives = held.filter(({ shows }) => shows).length;
  return { probe, auc: aucOf(held), positives, negatives: held.length - positives };
}

const scoreOf = ({ weights, bias }: Probe, features: Float32Array): number =>
  features.reduce((sum, x, i) => sum + x * weights[i]!, bias);

function fitLine(examples: readonly Example[], lambda: number): Probe {
  const d = examples[0]!.features.length;
  const inputs: Matrix = { width: d + 1, data: new Float64Array(examples.length * (d + 1)).fill(1) };
  for (const [i, { features }] of examples.entries()) inputs.data.set(features, i * (d + 1));
  const positives = examples.filter(({ shows }) => shows).length;
  const weights = Float64Array.from(examples, ({ shows }) => (shows ? (examples.length - positives) / positives : 1));
  const targets = { width: 1, data: Float64Array.from(examples, ({ shows }) => (shows ? 1 : 0)) };
  const { data } = ridge(inputs, targets, { lambda: lambda * meanScatter(inputs.data, weights, d), weights });
  return { weights: Float32Array.from(data.subarray(0, d)), bias: data[d]! };
}

/** Weighted scatter about the mean, averaged over the features. */
function meanScatter(inputs: Float64Array, weights: Float64Array, d: number): number {
  const total = weights.reduce((a, b) => a + b);
  let scatter = 0;
  for (let j = 0; j < d; j++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < weights.length; i++) {
      const x = inputs[i * (d + 1) + j]!;
      sum += weights[i]! * x;
      squares += weights[i]! * x * x;
    }
    scatter += squares - (sum * sum) / total;
  }
  return scatter / d;
}

/** Newton's method for the two numbers of a logistic curve; a few rounds suffice. */
function platt(held: readonly { readonly score: number; readonly shows: boolean }[]): {
  slope: number;
  offset: number;
} {
  let [slope, offset] = [5, -2.5];
  for (let round = 0; round < 50; round++) {
    let [gs, go, ss, so, oo] = [0, 0, 1e-6, 0, 1e-6];
    for (const { score, shows } of held) {
      const p = 1 / (1 + Math.exp(-(slope * score + offset)));
      const w = p * (1 - p);
      gs += ((shows ? 1 : 0) - p) * score;
      go += (shows ? 1 : 0) - p;
      ss += w * score * score;
      so += w * score;
      oo += w;
    }
    const determinant = ss * oo - so * so;
    slope += (oo * gs - so * go) / determinant;
    offset += (ss * go - so * gs) / determinant;
  }
  return { slope, offset };
}

export function aucOf(held: readonly { readonly score: number; readonly shows: boolean }[]): number {
  const [yes, no] = [held.filter(({ shows }) => shows), held.filter(({ shows }) => !shows)];
  const won = yes.reduce(
    (sum, a) => sum + no.reduce((n, b) => n + (a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0), 0),
    0,
  );
  return won / (yes.length * no.length);
}
