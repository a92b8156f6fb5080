import { SenseError } from "../../../core/errors.js";
import { imagebindRecipes } from "../../../core/imagebind.js";
import type { Recipe } from "../../../core/recipe.js";
import { s } from "../../../core/time.js";
import type { Manifest, Tower } from "../../manifest.js";
import type { Checkpoint } from "../checkpoint.js";
import { hugeWidths } from "./config.js";
import { type Layout, type TowerName, towers } from "./layout.js";
import type { Sizes } from "./sizes.js";

/** Licence of the code, the weights and the assets of ImageBind, as its model card states it. */
export const licence: Manifest["licence"] = {
  spdx: "CC-BY-NC-SA-4.0",
  nonCommercial: true,
  notice:
    "ImageBind's weights are licensed CC BY-NC-SA 4.0 by Meta Platforms: attribution, no commercial use, same licence for what is made of them.",
};

/** Windows of a live stream. The original has clips of 2 s of sound and 5 s of motion; pictures are taken once a second. */
const windows: Readonly<Record<Exclude<TowerName, "text" | "imu">, Tower["window"]>> = {
  vision: { length: s(1), hop: s(1) },
  audio: { length: s(2), hop: s(1) },
  depth: { length: s(1), hop: s(1) },
  thermal: { length: s(1), hop: s(1) },
};

/** The recipe of a tower with the sizes that this checkpoint has. */
function recipeOf({ tower, positions }: Layout, sizes: Sizes): Recipe {
  const recipe = imagebindRecipes[tower];
  switch (recipe.kind) {
    case "text":
      return { ...recipe, length: positions };
    case "fbank":
      return { ...recipe, bins: sizes.bins, frames: sizes.frames };
    case "series":
      return { ...recipe, steps: sizes.imuSteps };
    default:
      return { ...recipe, size: sizes.side };
  }
}

/** What the original multiplies a unit vector with: min(exp(scale), 100), and 1 for vision (PARITY C). */
export async function rawScaleOf(
  checkpoint: Checkpoint,
  names: ReadonlyMap<string, string>,
  { keys }: Layout,
): Promise<number> {
  if (keys.scale === undefined) return 1;
  const { data } = await checkpoint.floats(names.get(keys.scale) ?? keys.scale);
  const scale = Math.min(Math.exp(data[0]!), 100);
  if (scale > 0) return scale;
  throw new SenseError("BAD_CHECKPOINT", `${keys.scale} is ${data[0]}, which is no logarithm of a scale`, {
    hint: "The file is damaged: download it again.",
  });
}

export interface Description {
  readonly id: string;
  readonly layouts: ReadonlyMap<TowerName, Layout>;
  readonly sizes: ReadonlyMap<TowerName, Sizes>;
  readonly rawScales: ReadonlyMap<TowerName, number>;
}

/**
 * The manifest of an imported ImageBind. A cosine is multiplied by both towers' scales, as in the original's softmax over raw
 * products. The background is that of unrelated directions in `dim` dimensions: mean 0, deviation 1 / sqrt(dim).
 */
export function describe({ id, layouts, sizes, rawScales }: Description): Omit<Manifest, "files"> {
  const [{ out: dim }] = [...layouts.values()] as [Layout];
  const described: Partial<Record<TowerName, Tower>> = {};
  for (const [tower, layout] of layouts) {
    const preprocess = recipeOf(layout, sizes.get(tower)!);
    const motion =
      preprocess.kind === "series" ? { length: s(preprocess.steps / preprocess.rate), hop: s(1) } : undefined;
    const window = tower === "text" ? undefined : tower === "imu" ? motion : windows[tower];
    const rawScale = rawScales.get(tower)!;
    described[tower] = {
      graphs: [`${tower}.onnx`, `${tower}-head.onnx`],
      weights: [],
      output: "embedding",
      preprocess,
      ...(window === undefined ? {} : { window }),
      prompts: ["{}"],
      logitScale: rawScale * (rawScales.get("text") ?? 1),
      logitBias: 0,
      background: { mean: 0, deviation: 1 / Math.sqrt(dim) },
      rawScale,
    };
  }
  const isHuge = towers.every((tower) => (layouts.get(tower)?.width ?? hugeWidths[tower]) === hugeWidths[tower]);
  const title = isHuge ? "ImageBind (huge)" : "ImageBind (other sizes)";
  return { format: "sensebind.bundle/1", id, version: "1", title, licence, dim, towers: described };
}
