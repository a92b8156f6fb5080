import { cosine, type UnitVector } from "../core/embedding.js";
import type { Concept, Level, Prompt } from "./concept.js";
import { synonymCosine } from "./concept.js";

/** How a modality's cosines are read; a field of the bundle's manifest. */
export interface Scale {
  readonly logitScale: number;
  readonly logitBias: number;
  readonly background: Level;
}

export interface Score {
  readonly concept: Concept;
  readonly cosine: number;
  /** How far its cosine is above what nothing looks like, less the same of its best rival. */
  readonly margin: number;
  /** 0..1: 0.5 where the margin is what the concept's operating point asks for, or 0 where it has none. */
  readonly score: number;
  /** The margin at which the score is 0.5. */
  readonly threshold: number;
  readonly rival: Rival;
  readonly bestPrompt: string;
  /** The other concept of this sensor that came closest. */
  readonly runnerUp: { readonly concept: string; readonly score: number } | undefined;
}

/** Two deviations above unrelated content: what a cosine must exceed to be more than nothing. */
const floorDeviations = 2;

const floorOf = ({ mean, deviation }: Level): number => mean + floorDeviations * deviation;

/** What comes closest to a window among what it must not be, and by how much it is above its own floor. */
export interface Rival {
  /** A negative's or background word's text, or another concept's id. */
  readonly of: string;
  readonly excess: number;
}

/** The floor itself: what nothing in particular reaches. */
const nothing: Rival = { of: "nothing", excess: 0 };

/** The rival that is furthest above its floor, none of them if all are below. */
function bestRival(prompts: readonly Prompt[], vector: UnitVector, background: Level): Rival {
  let winner = nothing;
  for (const prompt of prompts) {
    const excess = cosine(prompt.vector, vector) - floorOf(prompt.background ?? background);
    if (excess > winner.excess) winner = { of: prompt.text, excess };
  }
  return winner;
}

function bestPrompt(prompts: readonly Prompt[], vector: UnitVector): string {
  let winner = prompts[0]!;
  for (const prompt of prompts) {
    if (cosine(prompt.vector, vector) > cosine(winner.vector, vector)) winner = prompt;
  }
  return winner.text;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The strongest rival of each concept: its own ones, the floor of the modality, and the sensor's other concepts. */
function rivalsOf(
  concepts: readonly Concept[],
  vector: UnitVector,
  excess: readonly number[],
  background: Level,
): Rival[] {
  return concepts.map((concept, i) => {
    let rival = bestRival(concept.rivals, vector, background);
    for (let j = 0; j < concepts.length; j++) {
      if (j === i || excess[j]! <= rival.excess) continue;
      if (cosine(concepts[j]!.vector, concept.vector) < synonymCosine) {
        rival = { of: concepts[j]!.id, excess: excess[j]! };
      }
    }
    return rival;
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
  const cosines = concepts.map((concept) => cosine(concept.vector, vector));
  const excess = concepts.map(
    (concept, i) => cosines[i]! - (concept.floor ?? floorOf(concept.background ?? scale.background)),
  );
  const rivals = rivalsOf(concepts, vector, excess, scale.background);
  const margin = excess.map((value, i) => value - rivals[i]!.excess);
  const thresholds = concepts.map(threshold);
  const scores = margin.map((value, i) => sigmoid(scale.logitScale * (value - thresholds[i]!) + scale.logitBias));
  return concepts.map((concept, i) => {
    const second = nextBest(cosines, i);
    return {
      concept,
      cosine: cosines[i]!,
      margin: margin[i]!,
      threshold: thresholds[i]!,
      rival: rivals[i]!,
      score: scores[i]!,
      bestPrompt: bestPrompt(concept.prompts, vector),
      runnerUp: second < 0 ? undefined : { concept: concepts[second]!.id, score: scores[second]! },
    };
  });
}
