import { combine } from "../core/embedding.js";
import type { Modality } from "../core/modality.js";
import type { Concept } from "./concept.js";
import type { FusionPlan, Moment } from "./fuse.js";
import type { Level, Prompt } from "./prompt.js";
import type { Scale } from "./score.js";

/** The same concepts as sensors of one modality are asked for them, and how much such members weigh in all. */
export interface AskedOf {
  readonly concepts: readonly Concept[];
  readonly weight: number;
}

/** Concepts of a fused sensor: each the weighted mean of what its members' modalities are asked for. */
export function fusedConcepts(parts: readonly AskedOf[], modality: Modality): readonly Concept[] {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const [first] = parts;
  return (first?.concepts ?? []).map((concept, i) => {
    const shares = parts.map(({ concepts, weight }) => ({ concept: concepts[i]!, weight: weight / total }));
    const vector = combine(shares.map(({ concept: { vector }, weight }) => ({ vector, weight })));
    const background = mean(shares.map(({ concept: { background }, weight }) => ({ background, weight })));
    const rivals = new Map<string, Prompt>(
      shares.flatMap((one) => one.concept.rivals.map((rival) => [rival.text, rival])),
    );
    return { ...concept, modality, vector, rivals: [...rivals.values()], ...(background && { background }) };
  });
}

/** Undefined where one of them is measured as words are: the moment's own background then holds. */
function mean(
  levels: readonly { readonly background: Level | undefined; readonly weight: number }[],
): Level | undefined {
  const sum = { mean: 0, deviation: 0 };
  for (const { background, weight } of levels) {
    if (!background) return undefined;
    sum.mean += weight * background.mean;
    sum.deviation += weight * background.deviation;
  }
  return sum;
}

/**
 * How cosines with a fused vector are read: the members' evidence is added up, as if they were independent, so that the
 * inverse temperature is the sum of theirs; what unrelated content has follows from theirs by the weights of the moment.
 */
export function scaleOf(
  { contributions, length }: Moment,
  scales: Readonly<Record<string, Scale>>,
  { members }: FusionPlan,
): Scale {
  let logitScale = 0;
  let logitBias = 0;
  let average = 0;
  let variance = 0;
  let all = 0;
  for (const { sensor, weight } of contributions) {
    if (weight === 0) continue;
    const { background, logitBias: bias } = scales[sensor]!;
    logitScale += members[sensor]!.reliability * length;
    logitBias += weight * bias;
    average += (weight * background.mean) / length;
    variance += ((weight * background.deviation) / length) ** 2;
    all += weight;
  }
  return { logitScale, logitBias: logitBias / all, background: { mean: average, deviation: Math.sqrt(variance) } };
}
