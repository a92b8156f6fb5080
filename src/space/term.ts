import * as z from "zod";
import { DurationText } from "../core/duration.js";
import { Id, Modality } from "../core/modality.js";

export const text = z.string().trim().min(1);

/** One, or a list of them. */
export const oneOrMore = <T extends z.ZodType>(one: T) =>
  z.union([one.transform((value) => [value]), z.array(one).min(1)]);

/** A file, and what its name does not tell of it. */
const ExampleFile = z.strictObject({
  file: text,
  /** Told from the file's name unless given. */
  modality: Modality.exclude(["text"]).optional(),
  /** Samples a second, and what raw values are multiplied with, of a `.npy` file of samples. */
  rate: z.number().positive().optional(),
  scale: z.array(z.number()).min(1).optional(),
});

/** What a sensor of a recording perceived in a span of time, counted from the recording's first reading. */
const ExampleSpan = z.strictObject({ recording: text, sensor: Id, from: DurationText, to: DurationText });

/** Something that looks or sounds like what is meant: a path, or where it is found. */
export const Example = z.union([text.transform((file) => ({ file })), ExampleFile, ExampleSpan]);
export type Example = Readonly<z.infer<typeof Example>>;

/** How much of a term there is; terms without a weight share a weight of 1. */
const weight = z.number().positive().max(100).optional();

/** Something meant, of which there may be more or less: a text, or one of these objects. */
export const Term = z.union([
  text.transform((words): { text: string; weight?: number | undefined } => ({ text: words })),
  z.strictObject({ text, weight }),
  z.strictObject({ example: Example, weight }),
  z.strictObject({ concept: Id, weight }),
]);
export type Term = Readonly<z.infer<typeof Term>>;

/** Keys that the schemas of this file know. */
export const termKeys: readonly string[] = [
  ...["text", "example", "concept", "weight"],
  ...["file", "modality", "rate", "scale", "recording", "sensor", "from", "to"],
];

const prompt = text.includes("{}", { error: "a prompt says where the words go: write {}, as in `a photo of {}`" });

/** Sentences that the words are put into, for all modalities or by modality; the bundle's own unless given. */
export const Prompts = z.union([oneOrMore(prompt), z.partialRecord(Modality, oneOrMore(prompt))]);
export type Prompts = Readonly<z.infer<typeof Prompts>>;

/** What an example is called where one line must do: a file, or a span of a recording. */
export const exampleName = (example: Example): string =>
  "file" in example
    ? example.file
    : `${example.sensor} of ${example.recording}, ${example.from / 1e6} to ${example.to / 1e6} s`;
