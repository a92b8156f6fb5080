import { combine, type UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import type { ConceptEncoder, EncodedExample, Levels, Prompt } from "./prompt.js";
import { referencesOf } from "./references.js";
import type { ConceptText } from "./schema.js";
import { type Example, exampleName, type Prompts, type Term } from "./term.js";

export type Named = readonly [id: string, settings: ConceptText];

/** Everything that concepts are made of, encoded: each text and each example once, however many concepts name it. */
export interface Ingredients {
  text(words: string, settings: Pick<ConceptText, "prompts">): Prompt;
  example(example: Example): Prompt;
}

/** Concepts with those that they name, these first. They are free of circles. */
export function withReferences(entries: readonly Named[], all: Readonly<Record<string, ConceptText>>): Named[] {
  const found = new Map<string, ConceptText>();
  const visit = (id: string, settings: ConceptText): void => {
    if (found.has(id)) return;
    for (const other of referencesOf(settings)) visit(other, all[other]!);
    found.set(id, settings);
  };
  for (const [id, settings] of entries) visit(id, settings);
  return [...found];
}

const termsOf = ({ plus, minus, not }: ConceptText): readonly Term[] => [...plus, ...minus, ...not];

const textsOf = (settings: ConceptText): readonly string[] => [
  ...settings.texts,
  ...termsOf(settings).flatMap((term) => ("text" in term ? [term.text] : [])),
];

/** The examples that a concept names, wherever it names them. */
export const examplesOf = (settings: ConceptText): readonly Example[] => [
  ...settings.examples,
  ...termsOf(settings).flatMap((term) => ("example" in term ? [term.example] : [])),
];

/** The sentences of a concept's own prompts for a modality; undefined where the bundle's are to be used. */
function sentencesOf(words: string, prompts: Prompts | undefined, modality: Modality): readonly string[] | undefined {
  const own = Array.isArray(prompts)
    ? prompts
    : (prompts as Partial<Record<Modality, string[]>> | undefined)?.[modality];
  return own?.map((prompt: string) => prompt.replaceAll("{}", () => words));
}

export interface GatherOptions {
  readonly modality: Modality;
  readonly background: readonly string[];
  readonly levels?: Levels;
}

/** Encodes what concepts name in as few calls as there are ways to encode it, so that the text tower is loaded once. */
export async function gather(
  concepts: readonly Named[],
  encoder: ConceptEncoder,
  { modality, background, levels }: GatherOptions,
): Promise<Ingredients> {
  const plain = new Set<string>(concepts.length === 0 ? [] : background);
  const raw = new Set<string>();
  const examples = new Map<string, Example>();
  for (const [, settings] of concepts) {
    for (const words of textsOf(settings)) {
      const sentences = sentencesOf(words, settings.prompts, modality);
      if (sentences) for (const sentence of sentences) raw.add(sentence);
      else plain.add(words);
    }
    for (const example of examplesOf(settings)) examples.set(JSON.stringify(example), example);
  }
  if (examples.size > 0 && !encoder.encodeExample) {
    throw new SenseError("BAD_ARGUMENT", "a concept has examples, but the encoder takes texts only", {
      hint: "Give an encoder with encodeExample.",
    });
  }
  const encoded = async (texts: readonly string[], way: Modality): Promise<Map<string, UnitVector>> => {
    const vectors = texts.length === 0 ? [] : await encoder.encodeText(texts, way);
    return new Map(texts.map((text, i) => [text, vectors[i]!.vector]));
  };
  const [usual, own, shown] = await Promise.all([
    encoded([...plain], modality),
    encoded([...raw], "text"),
    Promise.all([...examples].map(async ([key, example]) => [key, await encoder.encodeExample!(example)] as const)),
  ]);
  const seen = new Map<string, EncodedExample>(shown);
  return {
    text(words, { prompts }) {
      const sentences = sentencesOf(words, prompts, modality);
      if (!sentences) return { text: words, vector: usual.get(words)! };
      return { text: words, vector: combine(sentences.map((sentence) => ({ vector: own.get(sentence)!, weight: 1 }))) };
    },
    example(example) {
      const { vector, modality: kind } = seen.get(JSON.stringify(example))!;
      const level = levels?.alike?.[kind];
      return { text: exampleName(example), vector, ...(level ? { background: level } : { uncalibrated: true }) };
    },
  };
}
