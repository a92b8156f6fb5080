import * as z from "zod";
import { Id, Modality } from "../core/modality.js";

const words = z.string().trim().min(1).max(4096);
const several = z.union([words, z.array(words).min(1).max(16)]);
const instant = z.int().nonnegative();

/** The nearest stored embeddings: of words, of what a sensor perceived, or of a sum of both. */
export const SearchCommand = {
  request: z.strictObject({
    id: Id.optional(),
    text: several.optional(),
    /** Meaning that is taken away. */
    minus: several.optional(),
    /** What a sensor perceived in `[from, to)`, by its stored embeddings. */
    like: z.strictObject({ sensor: Id, from: instant, to: instant }).optional(),
    top: z.int().min(1).max(1000).default(10),
    /** Hits of this sensor, of this modality, and of what overlaps `[since, until)`. */
    sensor: Id.optional(),
    modality: Modality.exclude(["text"]).optional(),
    since: instant.optional(),
    until: instant.optional(),
  }),
  result: z.strictObject({
    hits: z.array(z.strictObject({ sensor: Id, modality: Modality, from: instant, to: instant, score: z.number() })),
  }),
} as const;
