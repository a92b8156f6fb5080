import type { Micros } from "../../core/time.js";

/** How often the partner of a held-out query is the nearest, and among the five nearest; shares in 0..1. */
export interface Recall {
  readonly at1: number;
  readonly at5: number;
  /** The middle rank of the partners, 1 being the best. */
  readonly medianRank?: number;
  /** Pairs that were asked. */
  readonly n: number;
}

/** One pass over the pairs. */
export interface Look {
  readonly step: number;
  readonly loss: number;
  readonly heldOutLoss?: number;
  readonly recall: Pick<Recall, "at1" | "at5">;
}

/** A held-out window whose own frame was far from being the nearest. */
export interface WorstPair {
  readonly time: Micros;
  /** Place of its own frame among all held-out ones, 1 being the nearest. */
  readonly rank: number;
  readonly cosine: number;
  /** What the camera answered at that time, and what the sensor does now; undefined for nothing. */
  readonly camera?: string | undefined;
  readonly sensor?: string | undefined;
}

/** What the sensor says to one of the configured words on held-out time, with the camera's answer as the truth. */
export interface Answer {
  readonly concept: string;
  readonly words: readonly string[];
  /** Windows at which the camera recognised it, at which the sensor did, and at which both did. */
  readonly camera: number;
  readonly sensor: number;
  readonly both: number;
  /** Mean cosine of the sensor's vectors with the words where the camera recognised it, and where it did not. */
  readonly cosineWith?: number | undefined;
  readonly cosineWithout?: number | undefined;
}

/** Everything that a calibration has to say for itself: the report and the card show the same. */
export interface CalibrationFacts {
  readonly sensor: string;
  readonly camera: string;
  readonly bundle: { readonly id: string; readonly base: string; readonly space: string };
  /** What was trained, in words: "a head of 0.3 M weights on the frozen thermal tower". */
  readonly trained: string;
  readonly span?: { readonly from: Micros; readonly to: Micros } | undefined;
  readonly pairs: {
    readonly train: number;
    readonly heldOut: number;
    readonly scenes: number;
    /** What was left out and why, in words: "12 windows held NaN". */
    readonly left?: readonly string[];
  };
  readonly recall: {
    /** Of the encoder that was there before; undefined where there was none. */
    readonly before: Recall | undefined;
    readonly after: Recall;
    /** The other way round, camera to sensor. */
    readonly back?: Recall;
    /** What guessing would reach. */
    readonly chance: Pick<Recall, "at1" | "at5">;
  };
  readonly looks: readonly Look[];
  /** The step whose weights were kept. */
  readonly best: number;
  /** Cosines of held-out windows (rows) and frames (columns), in order of time. */
  readonly similarity: readonly Float32Array[];
  readonly worst: readonly WorstPair[];
  readonly answers: readonly Answer[];
  /** Whether it passed the floor test and was installed, and why not if it did not. */
  readonly verdict: { readonly installed: boolean; readonly reason: string };
  readonly seconds: number;
  readonly seed: number;
}
