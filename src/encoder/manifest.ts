import * as z from "zod";
import { DurationText } from "../core/duration.js";
import { Id, Modality } from "../core/modality.js";
import { Recipe } from "../core/recipe.js";
import { Training, Trainings } from "../core/training.js";

/** One encoder of a bundle: an ONNX graph, how its input is made, and how its output is read. */
export const Tower = z.strictObject({
  /** ONNX graphs run one after the other: the trunk, then a head that can be swapped. */
  graphs: z.array(z.string()).min(1),
  /** Files of external weights that the graphs name; several towers may share one. */
  weights: z.array(z.string()).optional(),
  output: z.string().default("embedding"),
  preprocess: Recipe,
  /** Window of a live stream; a text tower has none. */
  window: z.strictObject({ length: DurationText, hop: DurationText }).optional(),
  /** Sentences that a concept's words are put into for this modality, `{}` being the words. */
  prompts: z.array(z.string().includes("{}")).default(["{}"]),
  /** Multiplies a cosine with a text before softmax or sigmoid: the inverse temperature. */
  logitScale: z.number().positive(),
  logitBias: z.number().default(0),
  /** Cosine of this modality's unrelated content with arbitrary words: what "nothing" looks like. */
  background: z.strictObject({ mean: z.number(), deviation: z.number().positive() }),
  /** Cosine of this modality's content with unrelated content of a modality: what an example is compared with. */
  alike: z.partialRecord(Modality, z.strictObject({ mean: z.number(), deviation: z.number().positive() })).optional(),
  /** The original model's output is the unit vector times this (`embed --raw`). */
  rawScale: z.number().positive().default(1),
});
export type Tower = Readonly<z.infer<typeof Tower>>;

/** An encoder that was bound for one sensor. */
export const SensorTower = Tower.extend({
  modality: Modality.exclude(["text", "vision"]),
  /** How it was trained. */
  training: Training.optional(),
});

/** models/<bundle>/manifest.json: what a bundle is, and everything that defines its space. */
export const Manifest = z.strictObject({
  format: z.literal("sensebind.bundle/1"),
  id: Id,
  /** The bundle whose space this one shares: set where a tower was bound to it and text and vision are the same. */
  base: Id.optional(),
  version: z.string(),
  title: z.string(),
  licence: z.strictObject({
    spdx: z.string(),
    nonCommercial: z.boolean(),
    /** Shown at import, at load and in status where the licence asks for it. */
    notice: z.string().optional(),
  }),
  dim: z.int().positive(),
  towers: z.partialRecord(Modality, Tower),
  /** Encoders of single sensors, by their id in the configuration; the others of the modality keep that of `towers`. */
  sensors: z.record(Id, SensorTower).optional(),
  /** How `calibrate` trains, and trained, the encoder of a modality; it is no part of the space. */
  training: Trainings.optional(),
  /** Every other file of the bundle, by its path in the folder. */
  files: z.record(z.string(), z.strictObject({ sha256: z.hex().length(64), bytes: z.int().nonnegative() })),
});
export type Manifest = Readonly<z.infer<typeof Manifest>>;

/** golden.json: inputs and the unit vectors they must give, so that a copy can be verified on another machine. */
export const Golden = z.strictObject({
  format: z.literal("sensebind.golden/1"),
  /** Least cosine with the stored vector; runtimes and processors round differently. */
  tolerance: z.number().min(0).max(1),
  cases: z.array(
    z.strictObject({
      modality: Modality,
      /** The one sensor whose own encoder it is of. */
      sensor: Id.optional(),
      /** A text, or uniform noise in [low, high) of a seed (core/random), of the tower's input shape for one clip. */
      input: z.union([
        z.strictObject({ text: z.string() }),
        z.strictObject({
          seed: z.int(),
          low: z.number().default(0),
          high: z.number().default(1),
          dims: z.array(z.int().positive()),
        }),
      ]),
      vector: z.array(z.number()),
    }),
  ),
});
export type Golden = Readonly<z.infer<typeof Golden>>;
