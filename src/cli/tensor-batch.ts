import { SenseError } from "../core/errors.js";
import type { Recipe } from "../core/recipe.js";
import { sizeOf, type Tensor, tensor } from "../core/tensor.js";
import type { Feeds } from "../encoder/runtime.js";

/**
 * A batch of tensors, `[b, …]` or with a clip axis `[b, clips, …]`, as one set of rows an item: the form that
 * `preprocess` writes and the original model takes. Throws `MODEL_MISMATCH` for another number of axes.
 */
export function itemsOf(batch: Tensor, recipe: Recipe): readonly Feeds[] {
  const clipAxes = axesOfClip(recipe, batch.dims);
  const [items = 0, ...rest] = batch.dims;
  const rows = rest.length === clipAxes ? [1, ...rest] : rest;
  if (rows.length !== clipAxes + 1 || items === 0) {
    throw new SenseError(
      "MODEL_MISMATCH",
      `a batch of shape [${batch.dims.join(", ")}] is none of ${recipe.kind} tensors`,
      {
        hint: "Make it with `sensebind preprocess`.",
      },
    );
  }
  const size = sizeOf(rows);
  return Array.from({ length: items }, (_, i) =>
    feedsOf(recipe, tensor(rows, batch.data.slice(i * size, (i + 1) * size))),
  );
}

/** The tensors of one file or text as a batch of one, with a clip axis where the recipe has clips. */
export function batchOf(clips: Tensor, recipe: Recipe): Tensor {
  const always = recipe.kind === "fbank";
  const several = clips.dims[0] !== 1 && recipe.kind !== "text";
  return always || several ? { ...clips, dims: [1, ...clips.dims] } : clips;
}

function axesOfClip(recipe: Recipe, dims: readonly number[]): number {
  switch (recipe.kind) {
    case "text":
    case "waveform":
      return 1;
    case "series":
      return 2;
    case "vision":
      return isVideo(dims) ? 4 : 3;
    default:
      return 3;
  }
}

/** Five axes are pictures with clips, `[b, clips, 3, size, size]`: a video's are six, `[b, clips, 3, frames, size, size]` (PARITY B). */
const isVideo = (dims: readonly number[]): boolean => dims.length === 6;

function feedsOf(recipe: Recipe, rows: Tensor): Feeds {
  if (recipe.kind !== "text") return { [recipe.input]: rows };
  const ids = BigInt64Array.from(rows.data as ArrayLike<number | bigint> as ArrayLike<number>, BigInt);
  const pad = BigInt(recipe.pad);
  return {
    [recipe.ids]: tensor(rows.dims, ids),
    ...(recipe.mask
      ? {
          [recipe.mask]: tensor(
            rows.dims,
            ids.map((id) => (id === pad ? 0n : 1n)),
          ),
        }
      : {}),
    ...(recipe.types
      ? {
          [recipe.types]: tensor(
            rows.dims,
            ids.map(() => 0n),
          ),
        }
      : {}),
  };
}
