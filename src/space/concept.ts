import { combine, cosine, type Term, type UnitVector } from "../core/embedding.js";
import { isSenseError, SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import type { ConceptText } from "./schema.js";

export interface Prompt {
  readonly text: string;
  readonly vector: UnitVector;
}

/** A concept as one modality's sensors are asked for it: words turned into vectors, once. */
export interface Concept {
  readonly id: string;
  readonly modality: Modality;
  readonly space: string;
  /** Direction of the concept: the mean of its texts, less the mean of its `minus` texts. */
  readonly vector: UnitVector;
  readonly prompts: readonly Prompt[];
  /** What the concept must be likelier than: its negatives and the background words that do not mean the same. */
  readonly rivals: readonly Prompt[];
  readonly settings: ConceptText;
}

/** Turns texts into unit vectors of the space, put into the sentences that suit sensors of `modality`. */
export interface TextEncoder {
  readonly space: string;
  encodeText(texts: readonly string[], modality: Modality): Promise<readonly { readonly vector: UnitVector }[]>;
}

export interface EncodeConceptsOptions {
  readonly modality: Exclude<Modality, "text">;
  /** What such sensors perceive when nothing of interest happens. */
  readonly background: readonly string[];
}

/** Texts nearer than this to a concept mean much the same: they can be true together and do not compete with it. */
export const synonymCosine = 0.7;

/** The mean of the texts less the mean of the minus texts. */
function direction(id: string, plus: readonly Prompt[], minus: readonly Prompt[]): UnitVector {
  const weighted = (prompts: readonly Prompt[], sign: number): Term[] =>
    prompts.map(({ vector }) => ({ vector, weight: sign / prompts.length }));
  try {
    return combine([...weighted(plus, 1), ...weighted(minus, -1)]);
  } catch (cause) {
    if (!isSenseError(cause, "BAD_TENSOR")) throw cause;
    throw new SenseError("BAD_CONFIG", `concept ${id}: its texts and minus texts cancel out`, {
      hint: "Remove the minus text that repeats a text.",
      cause,
    });
  }
}

/**
 * Encodes the words of concepts for one modality, all in one go, so that the text tower is loaded once.
 * Throws `BAD_CONFIG` where plus and minus leave nothing.
 */
export async function encodeConcepts(
  concepts: readonly (readonly [id: string, settings: ConceptText])[],
  encoder: TextEncoder,
  { modality, background }: EncodeConceptsOptions,
): Promise<readonly Concept[]> {
  const words = concepts.flatMap(([, { texts, minus, not }]) => [...texts, ...minus, ...not]);
  const all = concepts.length === 0 ? [] : [...new Set([...words, ...background])];
  const encoded = all.length === 0 ? [] : await encoder.encodeText(all, modality);
  const known = new Map(all.map((text, i) => [text, encoded[i]!.vector]));
  const prompts = (texts: readonly string[]): Prompt[] => texts.map((text) => ({ text, vector: known.get(text)! }));
  return concepts.map(([id, settings]) => {
    const plus = prompts(settings.texts);
    const vector = direction(id, plus, prompts(settings.minus));
    const usual = prompts(background).filter((word) => cosine(word.vector, vector) < synonymCosine);
    const rivals = [...prompts(settings.not), ...usual];
    return { id, modality, space: encoder.space, vector, prompts: plus, rivals, settings };
  });
}

/** True where the concept is asked of this sensor. */
export function concerns(settings: ConceptText, sensor: string, modality: Modality): boolean {
  return (settings.sensors?.includes(sensor) ?? true) && (settings.modalities?.includes(modality) ?? true);
}
