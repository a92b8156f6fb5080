import type { UnitVector } from "../../core/embedding.js";
import type { Modality } from "../../core/modality.js";
import type { Recipe } from "../../core/recipe.js";
import type { Tensor } from "../../core/tensor.js";
import type { Bundle } from "../../encoder/bundle.js";

export interface FrozenOptions {
  readonly modality: Exclude<Modality, "text">;
  readonly recipe: Recipe;
  readonly signal: AbortSignal;
}

/** The vector that the bundle's own encoder gives a window; none for a window with NaN. */
export async function frozenVector(
  bundle: Bundle,
  { dims, data }: Tensor<Float32Array>,
  { modality, recipe, signal }: FrozenOptions,
): Promise<UnitVector | undefined> {
  signal.throwIfAborted();
  if (data.some(Number.isNaN)) return undefined;
  return (await bundle.encode(modality, { [inputOf(recipe)]: { dims, data: data.slice() } }, signal)).vector;
}

/** A vector as what a head takes; one of NaN in the place of none, which the gate then names. */
export const asInput = (vector: Float32Array | undefined): Tensor<Float32Array> => {
  const data = vector ?? Float32Array.of(Number.NaN);
  return { dims: [1, data.length], data };
};

/** Name of the tensor that a recipe makes. */
export const inputOf = (recipe: Recipe): string => (recipe.kind === "text" ? recipe.ids : recipe.input);
