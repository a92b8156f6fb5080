import * as z from "zod";
import { Modality } from "../core/modality.js";

/** One line of `embed --json`. */
export const EmbeddingLine = z.strictObject({
  /** The file, the words, or the tensor and its row. */
  source: z.string(),
  modality: Modality,
  /** Only vectors of one space can be compared. */
  space: z.string(),
  dim: z.int().positive(),
  /** Of length 1, unless `--raw` was given. */
  vector: z.array(z.number()),
});
export type EmbeddingLine = Readonly<z.infer<typeof EmbeddingLine>>;
