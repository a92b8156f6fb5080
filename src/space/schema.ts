import * as z from "zod";
import { DurationText, printDuration } from "../core/duration.js";
import { Id, Modality } from "../core/modality.js";
import { FalseAlarms } from "./background/rate.js";

const text = z.string().trim().min(1);
const texts = z.union([text.transform((one) => [one]), z.array(text).min(1)]);

const ConceptFields = z.strictObject({
  /** Words for the concept; several are averaged. */
  texts,
  /** Words that take meaning away (embedding arithmetic). */
  minus: texts.default([]),
  /** Words for what looks alike and is not meant: the concept must be likelier than each of them. */
  not: texts.default([]),
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

/** A concept in a configuration file: a text or several, or words with their operating point. */
export const ConceptText = z.union([
  texts.transform((words) => ConceptFields.parse({ texts: words })),
  ConceptFields.refine((concept) => (concept.off ?? 0) <= concept.on, "`off` must not be above `on`"),
]);
export type ConceptText = Readonly<z.infer<typeof ConceptText>>;

/** A concept as a configuration file has it: what `ConceptText` reads back to the same. */
export function describeConcept(concept: ConceptText): Record<string, unknown> {
  const { minOn, minOff, updateEvery, cooldown, falseAlarms, ...plain } = concept;
  const durations = { minOn, minOff, updateEvery, cooldown };
  return {
    ...plain,
    ...(falseAlarms === undefined ? {} : { falseAlarms: `${falseAlarms}/day` }),
    ...Object.fromEntries(Object.entries(durations).map(([key, span]) => [key, printDuration(span)])),
  };
}
