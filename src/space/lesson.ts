import type { UnitVector } from "../core/embedding.js";
import type { Modality } from "../core/modality.js";
import type { ConceptText } from "./schema.js";
import { describeConcept } from "./schema.js";
import { packVector, type Taught, unpackVector } from "./taught.js";
import { type Method, teach } from "./teach.js";

export interface LessonOptions {
  readonly space: string;
  readonly modality: Exclude<Modality, "text">;
  readonly examples: readonly UnitVector[];
  readonly words?: UnitVector | undefined;
  readonly background: readonly UnitVector[];
  readonly method?: Method;
  readonly share?: number;
}

/** What a concept was taught by examples, as a file keeps it. Throws `BAD_ARGUMENT`. */
export function taughtBy({ space, modality, examples, method = "prototype", ...rest }: LessonOptions): Taught {
  const { vector, ...found } = teach(examples, { method, ...rest });
  return { space, modality, method, vector: packVector(vector), examples: examples.map(packVector), ...found };
}

/** The examples that a concept was taught by so far, if that was in this space. */
export const examplesSoFar = (concept: ConceptText | undefined, space: string): readonly UnitVector[] =>
  concept?.taught?.space === space ? concept.taught.examples.map(unpackVector) : [];

/** A concept with what it was taught, as a file has it: its other settings stay. A new one is asked of `scope`. */
export function withTaught(
  concept: ConceptText | undefined,
  taught: Taught,
  scope: Pick<ConceptText, "sensors" | "modalities">,
): Record<string, unknown> {
  return { ...(concept === undefined ? scope : describeConcept(concept)), taught };
}
