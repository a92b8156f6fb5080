import { cosine, type UnitVector } from "../core/embedding.js";
import type { Concept, Prompt } from "./concept.js";
import { synonymCosine } from "./concept.js";

/** How a modality's cosines are read; a field of the bundle's manifest. */
export interface Scale {
  readonly logitScale: number;
  readonly logitBias: number;
  readonly background: { readonly mean: number; readonly deviation: number };
}

export interface Score {
  readonly concept: Concept;
  readonly cosine: number;
  /** How far its cosine is above that of its best rival, and above what nothing looks like. */
  readonly margin: number;
  /** 0..1: 0.5 where the margin is what the concept's operating point asks for, or 0 where it has none. */
  readonly score: number;
  readonly bestPrompt: string;
  /** The other concept of this sensor that came closest. */
  readonly runnerUp: { readonly concept: string; readonly score: number } | undefined;
}

/** Two deviations above unrelated content: what a cosine must exceed to be more than nothing. */
const floorDeviations = 2;

/** How far the best of these prompts is up; -Infinity where there are none. Allocates nothing. */
function best(prompts: readonly Prompt[], vector: UnitVector): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (const prompt of prompts) highest = Math.max(highest, cosine(prompt.vector, vector));
  return highest;
}

function bestPrompt(prompts: readonly Prompt[], vector: UnitVector): string {
  let winner = prompts[0]!;
  for (const prompt of prompts) {
    if (cosine(prompt.vector, vector) > cosine(winner.vector, vector)) winner = prompt;
  }
  return winner.text;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** By how much each concept is above its rivals, the floor of the modality, and the sensor's other concepts. */
function margins(
  concepts: readonly Concept[],
  vector: UnitVector,
  cosines: readonly number[],
  floor: number,
): number[] {
  return concepts.map((concept, i) => {
    let rival = Math.max(floor, best(concept.rivals, vector));
    for (let j = 0; j < concepts.length; j++) {
      if (j !== i && cosine(concepts[j]!.vector, concept.vector) < synonymCosine) rival = Math.max(rival, cosines[j]!);
    }
    return cosines[i]! - rival;
  });
}

/** The other concept with the highest cosine; -1 where there is no other. */
function nextBest(cosines: readonly number[], i: number): number {
  let second = -1;
  for (let j = 0; j < cosines.length; j++) {
    if (j !== i && (second < 0 || cosines[j]! > cosines[second]!)) second = j;
  }
  return second;
}

/**
 * Scores every concept of a sensor against one embedding. A concept competes with its own rivals, with the floor of the
 * modality, and with the sensor's other concepts unless the two mean much the same. `threshold` is the margin at which a
 * concept's score is 0.5.
 */
export function scoreAll(
  concepts: readonly Concept[],
  vector: UnitVector,
  { scale, threshold = () => 0 }: { readonly scale: Scale; readonly threshold?: (concept: Concept) => number },
): Score[] {
  const floor = scale.background.mean + floorDeviations * scale.background.deviation;
  const cosines = concepts.map((concept) => cosine(concept.vector, vector));
  const margin = margins(concepts, vector, cosines, floor);
  const scores = margin.map((value, i) =>
    sigmoid(scale.logitScale * (value - threshold(concepts[i]!)) + scale.logitBias),
  );
  return concepts.map((concept, i) => {
    const second = nextBest(cosines, i);
    return {
      concept,
      cosine: cosines[i]!,
      margin: margin[i]!,
      score: scores[i]!,
      bestPrompt: bestPrompt(concept.prompts, vector),
      runnerUp: second < 0 ? undefined : { concept: concepts[second]!.id, score: scores[second]! },
    };
  });
}
