import { cosine, normalize, type UnitVector } from "../core/embedding.js";
import type { Modality } from "../core/modality.js";
import { seeded } from "../core/random.js";
import type { Recipe } from "../core/recipe.js";
import { sizeOf, type Tensor, tensor } from "../core/tensor.js";
import type { Bundle } from "./bundle.js";
import type { Golden } from "./manifest.js";

type Case = Golden["cases"][number];
type Input = Case["input"];

/** Two runtimes and two processors round differently; a damaged or swapped weight is far below. */
const tolerance = 0.999;

/** Shape of a tower's input for one clip. */
export function clipShape(recipe: Exclude<Recipe, { kind: "text" }>): number[] {
  switch (recipe.kind) {
    case "vision":
      return [1, 3, recipe.size, recipe.size];
    case "waveform":
      return [1, recipe.samples];
    case "fbank":
      return [1, 1, recipe.bins, recipe.frames];
    case "depth":
    case "thermal":
      return [1, 1, recipe.size, recipe.size];
    case "series":
      return [1, recipe.channels.length, recipe.steps];
    default:
      return recipe satisfies never;
  }
}

/** What a bundle's towers give for texts and for noise: the content of its golden.json. */
export async function recordGolden(bundle: Bundle): Promise<Golden> {
  const cases: Case[] = [];
  for (const modality of Object.keys(bundle.manifest.towers) as Modality[]) {
    for (const input of inputsFor(bundle.tower(modality).preprocess)) {
      cases.push({ modality, input, vector: [...(await encodeInput(bundle, modality, input))] });
    }
  }
  for (const [sensor, { modality }] of Object.entries(bundle.manifest.sensors ?? {})) {
    const own = bundle.forSensor(sensor);
    for (const input of inputsFor(own.tower(modality).preprocess)) {
      cases.push({ modality, sensor, input, vector: [...(await encodeInput(own, modality, input))] });
    }
  }
  return { format: "sensebind.golden/1", tolerance, cases };
}

export interface GoldenResult {
  readonly modality: Modality;
  readonly input: Input;
  /** Cosine of the stored vector with the one made here. */
  readonly cosine: number;
  readonly ok: boolean;
}

/** Makes the vectors of a golden.json again and compares. Throws what the runtime throws. */
export async function checkGolden(bundle: Bundle, golden: Golden): Promise<readonly GoldenResult[]> {
  const results: GoldenResult[] = [];
  for (const { modality, sensor, input, vector } of golden.cases) {
    const found = await encodeInput(sensor === undefined ? bundle : bundle.forSensor(sensor), modality, input);
    const similarity = vector.length === found.length ? cosine(normalize(vector), found) : 0;
    results.push({ modality, input, cosine: similarity, ok: similarity >= golden.tolerance });
  }
  return results;
}

function inputsFor(recipe: Recipe): readonly Input[] {
  if (recipe.kind === "text") return [{ text: "a dog is barking" }, { text: "rain" }];
  const [low, high] = recipe.kind === "thermal" ? [0, 1] : [-1, 1];
  return [1, 2].map((seed) => ({ seed, low, high, dims: clipShape(recipe) }));
}

async function encodeInput(bundle: Bundle, modality: Modality, input: Input): Promise<UnitVector> {
  const { preprocess } = bundle.tower(modality);
  if ("text" in input || preprocess.kind === "text") {
    const [word] = await bundle.encodeText(["text" in input ? input.text : ""], "text");
    return word!.vector;
  }
  return (await bundle.encode(modality, { [preprocess.input]: noise(input) })).vector;
}

/** Uniform in [low, high), the same on every machine. */
function noise({ seed, low, high, dims }: Exclude<Input, { text: string }>): Tensor {
  const random = seeded(seed);
  return tensor(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => low + (high - low) * random()),
  );
}
