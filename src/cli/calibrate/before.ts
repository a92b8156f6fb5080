import type { Pair } from "../../align/pairs/pair.js";
import { type Recall, recallOf } from "../../align/train/recall.js";
import type { UnitVector } from "../../core/embedding.js";
import type { Recipe } from "../../core/recipe.js";
import type { Bundle } from "../../encoder/bundle.js";
import { frozenVector } from "./frozen.js";
import type { Gathered, Whole } from "./gathered.js";

interface Learned extends Pick<Gathered, "modality" | "recipe"> {
  /** The bundle that is learned on. */
  readonly bundle: Bundle;
}

/** The recipe of the encoder that a sensor has in `had`, where what is gathered to be learned from says nothing of that encoder. */
export function otherRecipe(had: Bundle, { bundle, modality, recipe }: Learned): Recipe | undefined {
  const own = had.manifest.towers[modality]?.preprocess;
  const isSame = had === bundle && JSON.stringify(own) === JSON.stringify(recipe);
  return isSame ? undefined : own;
}

export interface BeforeOptions extends Pick<Gathered, "modality" | "encoded" | "recipe" | "asBefore"> {
  /** The bundle with the encoder that the sensor has now. */
  readonly had: Bundle;
  /** Numbers of the held-out windows among all that were gathered. */
  readonly numbers: readonly number[];
  readonly signal: AbortSignal;
}

/** Recall on the held-out pairs of the encoder that the sensor has now; undefined where there is none. */
export async function recallBefore(heldOut: readonly Pair[], options: BeforeOptions): Promise<Recall | undefined> {
  const { had, modality, numbers, asBefore } = options;
  const own = had.manifest.towers[modality]?.preprocess;
  if (own === undefined) return undefined;
  const vectors =
    asBefore === undefined
      ? await ofInputs(heldOut, own, options)
      : await ofWindows(asBefore(new Set(numbers)), own, options);
  return recallOf(
    vectors,
    heldOut.map(({ anchor }) => anchor),
    heldOut.map(({ scene }) => scene),
  );
}

/** The encoder is given what is learned from, or was given it already. */
async function ofInputs(
  heldOut: readonly Pair[],
  recipe: Recipe,
  { had, modality, encoded, signal }: BeforeOptions,
): Promise<readonly UnitVector[]> {
  const vectors: UnitVector[] = [];
  for (const { sensor } of heldOut) {
    vectors.push(
      encoded ? (sensor.data as UnitVector) : (await frozenVector(had, sensor, { modality, recipe, signal }))!,
    );
  }
  return vectors;
}

/** The windows are read once more, as the encoder takes them. */
async function ofWindows(
  windows: ReturnType<Whole["of"]>,
  recipe: Recipe,
  { had, modality, numbers, signal }: BeforeOptions,
): Promise<readonly UnitVector[]> {
  const found = new Map<number, UnitVector>();
  for await (const { number, input } of windows) {
    found.set(number, (await frozenVector(had, input, { modality, recipe, signal }))!);
  }
  return numbers.map((number) => found.get(number)!);
}
