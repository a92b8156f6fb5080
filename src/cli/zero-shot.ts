import { cosine, type UnitVector } from "../core/embedding.js";
import type { Modality } from "../core/modality.js";
import type { Bundle } from "../encoder/bundle.js";

/** Two deviations above unrelated content, as the recogniser has it: less is nothing in particular. */
const floorDeviations = 2;

export interface Verdict {
  readonly label: string;
  readonly score: number;
  /** Softmax over the labels of logit scale times cosine, in their order; they sum to 1 whatever is shown. */
  readonly scores: Readonly<Record<string, number>>;
  /** Whether the best label is above what unrelated content of this modality reaches: if not, it is probably none of them. */
  readonly known: boolean;
}

/** A zero-shot classifier of one modality; the labels are encoded once. */
export async function zeroShot(
  bundle: Bundle,
  modality: Modality,
  labels: readonly string[],
): Promise<(vector: UnitVector) => Verdict> {
  const words = await bundle.encodeText(labels, modality);
  const { logitScale, background } = bundle.tower(modality);
  const floor = background.mean + floorDeviations * background.deviation;
  return (vector) => {
    const cosines = words.map((word) => cosine(word.vector, vector));
    const best = Math.max(...cosines);
    const weights = cosines.map((value) => Math.exp(logitScale * (value - best)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const winner = cosines.indexOf(best);
    return {
      label: labels[winner]!,
      score: weights[winner]! / sum,
      scores: Object.fromEntries(labels.map((label, i) => [label, weights[i]! / sum])),
      known: best > floor,
    };
  };
}
