import { SenseError } from "../../core/errors.js";
import type { Recipe } from "../../core/recipe.js";
import type { Training } from "../../core/training.js";
import { type Designed, designed, type Surroundings } from "./architecture-of.js";

/**
 * What is trained: a head on the encoder that the bundle has, low-rank updates inside it, a whole encoder from nothing, or what moves
 * the vectors of the camera's own encoder, which is lent to the sensor.
 */
export const targets = ["head", "lora", "encoder", "camera"] as const;
export type Target = (typeof targets)[number];

/** A network and how it learns. Its `training` says the same as a bundle's manifest does. */
export interface Plan extends Designed {
  readonly lr: number;
  readonly decay: number;
  /** Pull of a window to its own anchor, and the cosine above which two anchors are one scene (bind.ts). */
  readonly pull?: number;
  readonly same?: number;
}

/** What is to be learned: by word, with what is usual for each, or in full. */
export type Asked = Target | readonly Target[] | Training;

/** Whether it is among what is to be learned. */
export function asksFor(asked: Asked, target: Target): boolean {
  if (typeof asked === "string") return asked === target;
  return isListed(asked) ? asked.includes(target) : asked[target] !== undefined;
}

const isListed = (asked: Exclude<Asked, Target>): asked is readonly Target[] => Array.isArray(asked);

/** The same in full, for what a recipe gives. Throws `MODALITY_UNSUPPORTED` where no encoder can be learned from nothing. */
export function trainingOf(asked: Asked, recipe: Recipe): Training {
  if (typeof asked !== "string" && !isListed(asked)) return asked;
  return {
    ...(asksFor(asked, "head") && { head: {} }),
    ...(asksFor(asked, "lora") && { lora: { rank: 8 } }),
    ...(asksFor(asked, "encoder") && { encoder: encoderFor(recipe) }),
    ...(asksFor(asked, "camera") && { camera: {} }),
  };
}

const blocks = { width: 64, depth: 2, heads: 4, biasKv: false } as const;

/** A small encoder for what a recipe gives. Throws `MODALITY_UNSUPPORTED` for texts, waves and pictures of a camera. */
function encoderFor(recipe: Recipe): NonNullable<Training["encoder"]> {
  switch (recipe.kind) {
    case "series":
      return { kind: "series", ...blocks };
    case "thermal":
    case "depth":
      return { kind: "edges", cells: [14, 7, 4] };
    case "fbank":
      return { kind: "patches", ...blocks };
    default:
      throw new SenseError(
        "MODALITY_UNSUPPORTED",
        `an encoder of ${recipe.kind} input cannot be learned from nothing`,
        {
          hint: "Use a bundle that has an encoder for it: a head on that one is learned then (--train head).",
        },
      );
  }
}

/** How a training's network learns where it does not say so itself. */
function habits({ head, lora, encoder }: Training): Omit<Plan, keyof Designed> {
  if (lora !== undefined) return { lr: 5e-4, decay: 0.05 };
  // A gas sensor says far less than a camera sees: what looks roughly alike counts as one scene.
  if (encoder?.kind === "series") return { lr: 1e-3, decay: 0.1, pull: 5, same: 0.6 };
  if (head === undefined && encoder === undefined) return { lr: 3e-3, decay: 0 };
  return { lr: 1e-3, decay: encoder?.kind === "edges" ? 1 : 0.1 };
}

/** A training, filled in, as a network and its optimiser's numbers. Throws what `designed` throws. */
export function planOf(training: Training, around: Surroundings): Plan {
  const made = designed(training, around);
  const { lr, decay, ...rest } = habits(training);
  const { lr: ownLr = lr, decay: ownDecay = decay, pull, same } = training;
  return {
    ...made,
    training: { ...made.training, lr: ownLr, decay: ownDecay },
    lr: ownLr,
    decay: ownDecay,
    ...rest,
    ...(pull !== undefined && { pull }),
    ...(same !== undefined && { same }),
  };
}

/** Shape of one input of a recipe, without the batch; undefined where only the texts tell. */
export function dimsOf(recipe: Recipe): readonly number[] | undefined {
  switch (recipe.kind) {
    case "series":
      return [recipe.channels.length, recipe.steps];
    case "thermal":
    case "depth":
      return [1, recipe.size, recipe.size];
    case "fbank":
      return [1, recipe.bins, recipe.frames];
    case "waveform":
      return [recipe.samples];
    case "vision":
      return [3, recipe.size, recipe.size];
    default:
      return undefined;
  }
}
