import { SenseError } from "../../core/errors.js";
import type { Recipe } from "../../core/recipe.js";
import type { Body } from "../../onnx/value.js";
import { adapter } from "./adapter.js";
import { patchTransformer, seriesTransformer } from "./architectures.js";
import { lora, trunkMatrices } from "./lora.js";
import type { Architecture } from "./net.js";
import { oriented } from "./oriented.js";

/** What is trained: a head on the encoder that the bundle has, low-rank updates inside it, or a whole encoder from nothing. */
export type Target = "head" | "lora" | "encoder";

export interface Plan {
  readonly architecture: Architecture;
  /** In words, for the card: "a series transformer of 64 channels and 2 blocks, from nothing". */
  readonly text: string;
  readonly lr: number;
  readonly decay: number;
  /** Pull of a window to its own anchor, and the cosine above which two anchors are one scene (bind.ts). */
  readonly pull?: number;
  readonly same?: number;
}

/** A small head beside the frozen encoder's own vector. */
export function headPlan(dim: number): Plan {
  const hidden = Math.max(64, Math.round(dim / 2));
  return {
    architecture: adapter(hidden),
    text: `a head of ${hidden} neurons beside the frozen encoder's vector`,
    lr: 1e-3,
    decay: 0.1,
  };
}

/** Low-rank updates of the frozen encoder's matrices; of its attention and MLP matrices where their names tell which they are. */
export function loraPlan(graphs: readonly Body[]): Plan {
  const isTrunk = graphs.some(({ weights }) => weights.some(({ name }) => trunkMatrices.test(name)));
  const rank = 8;
  return {
    architecture: lora(graphs, { rank, ...(isTrunk && { which: trunkMatrices }) }),
    text: `low-rank updates (rank ${rank}) of the frozen encoder's ${isTrunk ? "attention and MLP " : ""}matrices`,
    lr: 5e-4,
    decay: 0.05,
  };
}

/** The most tokens that a series becomes: attention costs their square. */
const mostTokens = 32;

/** A small encoder for what a recipe gives, `[n, ...]` to `[n, dim]`. Throws `MODALITY_UNSUPPORTED` for texts and pictures of a camera. */
export function encoderPlan(recipe: Recipe, dim: number): Plan {
  switch (recipe.kind) {
    case "series": {
      const patch = Math.ceil(recipe.steps / mostTokens);
      const options = { dim, width: 64, depth: 2, heads: 4, biasKv: false, patch };
      const text = `a transformer over ${recipe.channels.length} channels, 2 blocks 64 wide, ${patch} samples a token, from nothing`;
      // A gas sensor says far less than a camera sees: what looks roughly alike counts as one scene.
      return { architecture: seriesTransformer(options), text, lr: 1e-3, decay: 0.1, pull: 5, same: 0.6 };
    }
    case "thermal":
    case "depth":
      return { architecture: oriented({ dim }), text: "a head on edge directions, from nothing", lr: 1e-3, decay: 1 };
    case "fbank": {
      const patch = [Math.min(16, recipe.bins), Math.max(1, Math.floor(recipe.frames / 12))];
      const options = { dim, width: 64, depth: 2, heads: 4, biasKv: false, patch };
      return {
        architecture: patchTransformer(options),
        text: `a transformer over patches of ${patch.join(" x ")} of the spectrogram, from nothing`,
        lr: 1e-3,
        decay: 0.1,
      };
    }
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
