import type { UnitVector } from "../core/embedding.js";
import type { Modality } from "../core/modality.js";
import type { Example } from "./term.js";

/** Mean and standard deviation of a cosine with content that has nothing to do with it. */
export interface Level {
  readonly mean: number;
  readonly deviation: number;
}

/** What a sensor's windows are compared with, by the words or the file it was made from. */
export interface Prompt {
  readonly text: string;
  readonly vector: UnitVector;
  /** What its cosine is with unrelated content; as with words unless given. */
  readonly background?: Level;
  /** Nobody has measured that: only the sensor's own background can tell what its cosine means. */
  readonly uncalibrated?: boolean;
}

export interface EncodedExample {
  readonly vector: UnitVector;
  readonly modality: Modality;
}

/** Turns texts into unit vectors of the space, put into the sentences that suit sensors of `modality`. */
export interface TextEncoder {
  readonly space: string;
  encodeText(texts: readonly string[], modality: Modality): Promise<readonly { readonly vector: UnitVector }[]>;
}

/** The same, and files and spans of recordings where concepts have examples. */
export interface ConceptEncoder extends TextEncoder {
  encodeExample?(example: Example): Promise<EncodedExample>;
}

/** What a modality's cosines with unrelated content are; a part of the bundle's manifest. */
export interface Levels {
  /** With words. */
  readonly background: Level;
  /** With windows and files, by their modality. */
  readonly alike?: Partial<Readonly<Record<Modality, Level>>> | undefined;
}
