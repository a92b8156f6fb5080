import * as z from "zod";
import { DurationText, printDuration } from "../core/duration.js";
import { Id, Modality } from "../core/modality.js";
import { FalseAlarms } from "./background/rate.js";
import { Taught } from "./taught.js";
import { Example, oneOrMore, Prompts, Term, text } from "./term.js";

const ConceptFields = z.strictObject({
  /** Words for the concept; several are averaged. */
  texts: oneOrMore(text).default([]),
  /** Files of any modality, or spans of recordings, that show or sound like it; several are averaged. */
  examples: oneOrMore(Example).default([]),
  /** Other concepts that it is a mean of. */
  concepts: oneOrMore(Id).default([]),
  /** Meaning that is added, and taken away (embedding arithmetic): words, examples, concepts, each with its weight. */
  plus: oneOrMore(Term).default([]),
  minus: oneOrMore(Term).default([]),
  /** What looks or sounds alike and is not meant: the concept must be likelier than each of them. */
  not: oneOrMore(Term).default([]),
  /** What `teach` learned from examples, drawn towards the texts, which then do not weigh by themselves. */
  taught: Taught.optional(),
  /** Sentences that the texts are put into. */
  prompts: Prompts.optional(),
  /** Sensors that are asked for it; all unless given. */
  sensors: z.array(Id).optional(),
  modalities: z.array(Modality).optional(),
  /**
   * How often a false alarm may come, `1/day`: the sensor's own background then decides what is enough, and a score of
   * 0.5 is that point.
   */
  falseAlarms: FalseAlarms.optional(),
  /** Calibrated score at which it begins, and below which it may end. */
  on: z.number().min(0).max(1).default(0.5),
  off: z.number().min(0).max(1).optional(),
  /** How long the score must stay above `on` before it begins, and below `off` before it ends. */
  minOn: DurationText.prefault("0ms"),
  minOff: DurationText.prefault("0ms"),
  /** While it lasts, an update is sent this often, and whenever the score moved by a tenth. */
  updateEvery: DurationText.prefault("5s"),
  /** After an end, nothing begins for this long. */
  cooldown: DurationText.prefault("0ms"),
});

/** What can be set of a concept. */
export const conceptKeys: readonly string[] = Object.keys(ConceptFields.shape);

/** A concept in a configuration file: a text or several, or what it is made of with its operating point. */
export const ConceptText = z.union([
  oneOrMore(text).transform((words) => ConceptFields.parse({ texts: words })),
  ConceptFields.refine((concept) => (concept.off ?? 0) <= concept.on, "`off` must not be above `on`").refine(
    ({ texts, examples, concepts, plus, taught }) =>
      taught !== undefined || texts.length + examples.length + concepts.length + plus.length > 0,
    "there is nothing to look for: give texts, examples, concepts or plus",
  ),
]);
export type ConceptText = Readonly<z.infer<typeof ConceptText>>;

/** A concept as a configuration file has it: what `ConceptText` reads back to the same. */
export function describeConcept(concept: ConceptText): Record<string, unknown> {
  const { minOn, minOff, updateEvery, cooldown, falseAlarms, examples, plus, minus, not, ...plain } = concept;
  const durations = { minOn, minOff, updateEvery, cooldown };
  const lists = {
    examples: examples.map(describeExample),
    plus: plus.map(describeTerm),
    minus: minus.map(describeTerm),
    not: not.map(describeTerm),
  };
  // An empty list is what is read where there is none.
  const filled = Object.entries({ ...plain, ...lists }).filter(
    ([, value]) => !Array.isArray(value) || value.length > 0,
  );
  return {
    ...Object.fromEntries(filled),
    ...(falseAlarms === undefined ? {} : { falseAlarms: `${falseAlarms}/day` }),
    ...Object.fromEntries(Object.entries(durations).map(([key, span]) => [key, printDuration(span)])),
  };
}

function describeExample(example: Example): unknown {
  if ("file" in example) return Object.keys(example).length === 1 ? example.file : example;
  return { ...example, from: printDuration(example.from), to: printDuration(example.to) };
}

function describeTerm(term: Term): unknown {
  if ("example" in term) return { ...term, example: describeExample(term.example) };
  return "text" in term && term.weight === undefined ? term.text : term;
}
