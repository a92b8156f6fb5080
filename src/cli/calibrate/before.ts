import type { Collected } from "../../align/pairs/collect.js";
import { type Recall, recallOf } from "../../align/train/recall.js";
import type { UnitVector } from "../../core/embedding.js";
import type { Recipe, SeriesRecipe } from "../../core/recipe.js";
import type { Tensor } from "../../core/tensor.js";
import type { Bundle } from "../../encoder/bundle.js";
import { frozenVector } from "./frozen.js";
import type { Gathered } from "./gathered.js";

export interface BeforeOptions extends Pick<Gathered, "modality" | "encoded"> {
  readonly bundle: Bundle;
  /** By which the pairs' inputs were made. */
  readonly recipe: Recipe;
  readonly signal: AbortSignal;
}

/**
 * Recall on the held-out pairs of the encoder that the sensor has now; undefined where there is none, or where what it would be given
 * cannot be told from what the new one is given, as with maps of another size.
 */
export async function recallBefore(
  { heldOut }: Collected,
  { bundle, modality, encoded, recipe, signal }: BeforeOptions,
): Promise<Recall | undefined> {
  const own = bundle.manifest.towers[modality]?.preprocess;
  const vectors: UnitVector[] = [];
  for (const { sensor } of heldOut) {
    if (encoded) {
      vectors.push(sensor.data as UnitVector);
      continue;
    }
    const input = own && inputFor(own, sensor, recipe);
    if (own === undefined || input === undefined) return undefined;
    vectors.push((await frozenVector(bundle, input, { modality, recipe: own, signal }))!);
  }
  return recallOf(
    vectors,
    heldOut.map(({ anchor }) => anchor),
    heldOut.map(({ scene }) => scene),
  );
}

type Input = Tensor<Float32Array>;

/** An input that one recipe made as another would have made it: series on another scale. */
export function inputFor(own: Recipe, input: Input, recipe: Recipe): Input | undefined {
  if (JSON.stringify(own) === JSON.stringify(recipe)) return input;
  if (own.kind !== "series" || recipe.kind !== "series" || formOf(own) !== formOf(recipe)) return undefined;
  const data = input.data.map((value, i) => {
    const channel = Math.floor(i / own.steps) % own.channels.length;
    const [from, to] = [scaleOf(recipe, channel), scaleOf(own, channel)];
    return (value * from.std + from.mean - to.mean) / to.std;
  });
  return { dims: input.dims, data };
}

/** What must be the same of two series. */
const formOf = ({ channels, rate, steps, short }: SeriesRecipe): string =>
  JSON.stringify({ channels, rate, steps, short });

const scaleOf = ({ mean = [0], std = [1] }: SeriesRecipe, channel: number): { mean: number; std: number } => ({
  mean: mean[channel % mean.length]!,
  std: std[channel % std.length]!,
});
