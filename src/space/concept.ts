import { cosine, type UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import { gather, type Ingredients, type Named, withReferences } from "./ingredients.js";
import { direction, inOrder, levelOf, weighted } from "./mixture.js";
import type { ConceptEncoder, Level, Levels, Prompt } from "./prompt.js";
import { referenceProblem } from "./references.js";
import type { ConceptText } from "./schema.js";
import { inSpace, unpackVector } from "./taught.js";
import type { Term } from "./term.js";

export type { Level, Prompt, TextEncoder } from "./prompt.js";

/** A concept as one modality's sensors are asked for it: what it is made of turned into vectors, once. */
export interface Concept {
  readonly id: string;
  readonly modality: Modality;
  readonly space: string;
  /** Direction of the concept: the weighted sum of what it is made of. */
  readonly vector: UnitVector;
  readonly prompts: readonly Prompt[];
  /** What the concept must be likelier than: its negatives and the background words that do not mean the same. */
  readonly rivals: readonly Prompt[];
  readonly settings: ConceptText;
  /** What its cosine is with unrelated content; as with words unless given. */
  readonly background?: Level;
  /** Cosine that is enough by what `teach` saw; two deviations above the background unless given. */
  readonly floor?: number;
  readonly uncalibrated?: boolean;
}

export interface EncodeConceptsOptions {
  readonly modality: Exclude<Modality, "text">;
  /** What such sensors perceive when nothing of interest happens. */
  readonly background: readonly string[];
  readonly levels?: Levels;
  /** Every concept that one may name; those to be encoded unless given. */
  readonly all?: Readonly<Record<string, ConceptText>>;
}

/** Texts nearer than this to a concept mean much the same: they can be true together and do not compete with it. */
export const synonymCosine = 0.7;

/**
 * Encodes concepts for one modality: their texts in one go, their examples, and what they take from other concepts. Throws
 * `BAD_CONFIG` where plus and minus leave nothing, or concepts are made of each other in a circle.
 */
export async function encodeConcepts(
  concepts: readonly Named[],
  encoder: ConceptEncoder,
  options: EncodeConceptsOptions,
): Promise<readonly Concept[]> {
  const { modality, background, levels, all = Object.fromEntries(concepts) } = options;
  refuseCircles(all);
  const needed = withReferences(concepts, all);
  const ingredients = await gather(needed, encoder, options);
  const made = new Map<string, Concept>();
  const usual = needed.length === 0 ? [] : background.map((words) => ingredients.text(words, {}));
  for (const [id, settings] of needed) {
    const asPrompt = (term: Term) => promptOf(term, settings, { ingredients, made });
    const signed = (terms: readonly Term[], sign = 1) =>
      weighted(
        terms.map((term) => ({ prompt: asPrompt(term), weight: term.weight })),
        sign,
      );
    const plus = [
      ...signed(settings.taught ? [] : settings.texts.map((text) => ({ text }))),
      ...signed(settings.examples.map((example) => ({ example }))),
      ...signed(settings.concepts.map((concept) => ({ concept }))),
      ...signed(settings.plus),
      ...weighted(taughtPrompt(id, settings, { space: encoder.space, levels })),
    ];
    const parts = inOrder([...plus, ...signed(settings.minus, -1)]);
    const vector = direction(id, parts);
    const level = levelOf(parts, vector, levels?.background);
    const rivals = [
      ...settings.not.map(asPrompt),
      ...usual.filter((word) => cosine(word.vector, vector) < synonymCosine),
    ];
    const floor = parts.length === 1 ? settings.taught?.threshold : undefined;
    const uncalibrated = parts.some(({ prompt }) => prompt.uncalibrated);
    made.set(id, {
      ...{ id, modality, space: encoder.space, vector, rivals },
      prompts: plus.map(({ prompt }) => prompt),
      settings: uncalibrated ? { ...settings, falseAlarms: settings.falseAlarms ?? unmeasuredRate } : settings,
      ...(level && { background: level }),
      ...(floor !== undefined && { floor }),
      ...(uncalibrated && { uncalibrated }),
    });
  }
  return concepts.map(([id]) => made.get(id)!);
}

function taughtPrompt(
  id: string,
  { taught }: ConceptText,
  { space, levels }: { readonly space: string; readonly levels: Levels | undefined },
): { readonly prompt: Prompt }[] {
  if (!taught) return [];
  inSpace(id, taught, space);
  const level = taught.background ?? levels?.alike?.[taught.modality];
  const about = level ? { background: { mean: level.mean, deviation: level.deviation } } : { uncalibrated: true };
  return [{ prompt: { text: `${id}, as taught`, vector: unpackVector(taught.vector), ...about } }];
}

/** False alarms a day of a concept whose cosines nobody has measured, so that the sensor's own background decides. */
const unmeasuredRate = 1;

/** A term of a concept as what is compared. */
function promptOf(
  term: Term,
  settings: ConceptText,
  { ingredients, made }: { readonly ingredients: Ingredients; readonly made: ReadonlyMap<string, Concept> },
): Prompt {
  if ("text" in term) return ingredients.text(term.text, settings);
  if ("example" in term) return ingredients.example(term.example);
  const { id, vector, background, uncalibrated } = made.get(term.concept)!;
  return { text: id, vector, ...(background && { background }), ...(uncalibrated && { uncalibrated }) };
}

function refuseCircles(all: Readonly<Record<string, ConceptText>>): void {
  const problem = referenceProblem(all);
  if (!problem) return;
  throw new SenseError("BAD_CONFIG", `${problem.path.join(".")}: ${problem.message}`, {
    hint: "Let one of them be made of texts or examples.",
  });
}

/** True where the concept is asked of this sensor, of whose modalities one must suit. */
export function concerns(
  settings: Pick<ConceptText, "sensors" | "modalities">,
  sensor: string,
  modality: Modality | readonly Modality[],
): boolean {
  const perceived: readonly Modality[] = typeof modality === "string" ? [modality] : modality;
  const suits = settings.modalities?.some((one) => perceived.includes(one)) ?? true;
  return (settings.sensors?.includes(sensor) ?? true) && suits;
}
