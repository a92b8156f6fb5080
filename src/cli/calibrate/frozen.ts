import type { Modality } from "../../core/modality.js";
import type { Recipe } from "../../core/recipe.js";
import type { Tensor } from "../../core/tensor.js";
import type { Bundle } from "../../encoder/bundle.js";
import { idOfInput } from "./content-id.js";
import type { KeptVectors } from "./kept-vectors.js";

export interface FrozenOptions {
  readonly modality: Exclude<Modality, "text">;
  readonly recipe: Recipe;
  readonly signal: AbortSignal;
  /** Vectors that an earlier run left, and to which new ones are added. */
  readonly kept?: KeptVectors | undefined;
}

/** The vector that the bundle's own encoder gives a window; one of NaN for a window with NaN, which the gate then names. */
export async function frozenVector(
  bundle: Bundle,
  input: Tensor<Float32Array>,
  { modality, recipe, signal, kept }: FrozenOptions,
): Promise<Float32Array> {
  signal.throwIfAborted();
  if (input.data.some(Number.isNaN)) return new Float32Array(bundle.manifest.dim).fill(Number.NaN);
  const id = kept && idOfInput(input);
  const known = id === undefined ? undefined : kept?.get(id);
  if (known !== undefined) return known.vector;
  const feeds = { [inputOf(recipe)]: { dims: input.dims, data: input.data.slice() } };
  const { vector } = await bundle.encode(modality, feeds, signal);
  if (id !== undefined) await kept?.add(id, { vector });
  return vector;
}

/** Name of the tensor that a recipe makes. */
export const inputOf = (recipe: Recipe): string => (recipe.kind === "text" ? recipe.ids : recipe.input);
