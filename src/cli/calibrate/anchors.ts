import type { Anchor } from "../../align/pairs/pair.js";
import { isSenseError } from "../../core/errors.js";
import type { SensorReading } from "../../core/reading.js";
import type { Recipe } from "../../core/recipe.js";
import type { Tensor } from "../../core/tensor.js";
import type { Duration, Micros } from "../../core/time.js";
import type { Bundle } from "../../encoder/bundle.js";
import { decodeFrame } from "../../pipeline/perceive.js";
import type { Cut } from "../../window/cut.js";
import { type Inputs, preprocessor } from "../../window/preprocess.js";
import { slide } from "../../window/slide.js";
import { idOfCut } from "./content-id.js";
import { middle } from "./gathered.js";
import { type KeptVector, type KeptVectors, remembered } from "./kept-vectors.js";

export interface AnchorsOptions {
  readonly window: { readonly length: Duration; readonly hop: Duration };
  readonly signal: AbortSignal;
  /** Vectors that an earlier run left, and to which new ones are added. */
  readonly kept?: KeptVectors | undefined;
  /** Frames of other times are not looked at. */
  readonly wanted: (time: Micros) => boolean;
}

/** Where the camera's frames lie in the space; one that cannot be decoded is left out. */
export async function* anchorsOf(
  readings: AsyncIterable<SensorReading>,
  bundle: Bundle,
  { window, signal, kept, wanted }: AnchorsOptions,
): AsyncGenerator<Anchor> {
  for await (const cut of slide(readings, window)) {
    signal.throwIfAborted();
    const time = middle(cut);
    if (!wanted(time)) continue;
    const found = await remembered(
      kept,
      () => idOfCut(cut),
      () => looked(cut, bundle, signal),
    );
    if (found !== undefined) yield { time, ...found };
  }
}

async function looked(cut: Cut, bundle: Bundle, signal: AbortSignal): Promise<KeptVector | undefined> {
  try {
    const recipe = bundle.tower("vision").preprocess;
    const { inputs } = await preprocessor(recipe, decodeFrame)(cut);
    const light = lightOf(inputs, recipe);
    const { vector } = await bundle.encode("vision", inputs, signal);
    return { vector, ...(light !== undefined && { light }) };
  } catch (error) {
    if (isSenseError(error, "BAD_IMAGE")) return undefined;
    throw error;
  }
}

/** Mean luminance of a picture, 0 to 1, from the tensor that it became. */
function lightOf(inputs: Inputs, recipe: Recipe): number | undefined {
  if (recipe.kind !== "vision") return undefined;
  const average = (values: readonly number[] | Float32Array): number => {
    let sum = 0;
    for (const value of values) sum += value;
    return sum / values.length;
  };
  const { data } = inputs[recipe.input] as Tensor<Float32Array>;
  return average(data) * average(recipe.std) + average(recipe.mean);
}
