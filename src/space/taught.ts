import * as z from "zod";
import { normalize, type UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import { Modality } from "../core/modality.js";

const count = z.int().nonnegative();

/** Little-endian float32 in base64: a vector in a file that people read. */
const Packed = z
  .base64()
  .refine((text) => Buffer.from(text, "base64").length % 4 === 0, "a vector has 4 bytes a number");

/** What was learned of a concept by `teach`: it belongs to one space, and nothing of it can be used in another. */
export const Taught = z.strictObject({
  space: z.string(),
  modality: Modality.exclude(["text"]),
  method: z.enum(["prototype", "linear"]),
  /** Direction of the concept, and the examples it was taught by, so that more can be added. */
  vector: Packed,
  examples: z.array(Packed).min(1),
  /** Cosine at which it is recognised, and what the background's is; absent where there was no background to look at. */
  threshold: z.number().min(-1).max(1).optional(),
  background: z.strictObject({ mean: z.number(), deviation: z.number().positive(), windows: count }).optional(),
  /** What is to be expected of it: of the windows that it fires on, and of those that hold it, how many are right. */
  expected: z
    .strictObject({
      precision: z.number(),
      recall: z.number(),
      /** Share of windows that hold it, which the precision takes for granted. */
      share: z.number(),
      falsely: z.strictObject({ fired: count, windows: count }),
    })
    .optional(),
});
export type Taught = Readonly<z.infer<typeof Taught>>;

export const packVector = (vector: UnitVector): string =>
  Buffer.from(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)).toString("base64");

export function unpackVector(packed: string): UnitVector {
  const bytes = Buffer.from(packed, "base64");
  return normalize(Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i)));
}

/** Throws `SPACE_MISMATCH` for a concept that was taught in another space. */
export function inSpace(id: string, taught: Taught, space: string): void {
  if (taught.space === space) return;
  throw new SenseError(
    "SPACE_MISMATCH",
    `concept ${id} was taught in the space ${taught.space}, the bundle's is ${space}`,
    {
      hint: `Teach it again with this bundle (sensebind teach ${id} …), or remove it.`,
    },
  );
}
