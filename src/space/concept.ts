import { cosine, normalize, type UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
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

/** Turns texts into unit vectors of the space, in the way that suits sensors of `modality` (prompt templates). */
export interface TextEncoder {
  readonly space: string;
  encodeText(texts: readonly string[], modality: Modality): Promise<readonly UnitVector[]>;
}

export interface EncodeConceptOptions {
  readonly modality: Exclude<Modality, "text">;
  readonly background: readonly string[];
}

/** Texts nearer than this to a concept mean much the same: they can be true together and do not compete with it. */
export const synonymCosine = 0.7;

function direction(id: string, plus: readonly Prompt[], minus: readonly Prompt[]): UnitVector {
  const dim = plus[0]!.vector.length;
  const sum = new Float64Array(dim);
  for (const { vector } of plus) for (let i = 0; i < dim; i++) sum[i]! += vector[i]! / plus.length;
  for (const { vector } of minus) for (let i = 0; i < dim; i++) sum[i]! -= vector[i]! / minus.length;
  if (Math.hypot(...sum) < 1e-6) {
    throw new SenseError("BAD_CONFIG", `concept ${id}: its texts and minus texts cancel out`, {
      hint: "Remove the minus text that repeats a text.",
    });
  }
  return normalize(sum);
}

/** Encodes a concept's words for one modality. Throws `BAD_CONFIG` where plus and minus leave nothing. */
export async function encodeConcept(
  [id, settings]: readonly [string, ConceptText],
  encoder: TextEncoder,
  { modality, background }: EncodeConceptOptions,
): Promise<Concept> {
  const encode = async (texts: readonly string[]): Promise<Prompt[]> => {
    const vectors = texts.length === 0 ? [] : await encoder.encodeText(texts, modality);
    return texts.map((text, i) => ({ text, vector: vectors[i]! }));
  };
  const prompts = await encode(settings.texts);
  const vector = direction(id, prompts, await encode(settings.minus));
  const usual = (await encode(background)).filter((word) => cosine(word.vector, vector) < synonymCosine);
  const rivals = [...(await encode(settings.not)), ...usual];
  return { id, modality, space: encoder.space, vector, prompts, rivals, settings };
}

/** True where the concept is asked of this sensor. */
export function concerns(settings: ConceptText, sensor: string, modality: Modality): boolean {
  return (settings.sensors?.includes(sensor) ?? true) && (settings.modalities?.includes(modality) ?? true);
}
