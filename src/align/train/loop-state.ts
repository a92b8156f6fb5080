import type { Parameter } from "../net/net.js";
import type { Recall } from "./recall.js";

/** A point of the curves. */
export interface Look {
  readonly step: number;
  /** Mean over the steps since the last look. */
  readonly loss: number;
  readonly heldOut: Recall;
}

/** Where a training is, beside its weights: what a checkpoint keeps too. */
export interface LoopState {
  readonly looks: readonly Look[];
  readonly best:
    | { readonly step: number; readonly score: number; readonly parameters: readonly Parameter[] }
    | undefined;
  /** Looks since the best one. */
  readonly since: number;
}
