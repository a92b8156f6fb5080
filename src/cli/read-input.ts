import type { Modality } from "../core/modality.js";
import type { Recipe } from "../core/recipe.js";
import { type Duration, s } from "../core/time.js";
import { readFileReading } from "../pipeline/read-file.js";
import { fileClips, type Inputs } from "../window/preprocess.js";
import type { SeriesFlags } from "./options.js";
import { isVideo, readVideo } from "./read-video.js";

export interface InputOptions extends SeriesFlags {
  readonly modality: Exclude<Modality, "text">;
  readonly recipe: Recipe;
  /** From one window of a long file to the next: as in a live stream, so that nothing is missed at a window's edge. */
  readonly hop: Duration | undefined;
}

/** A file as the tensors that its modality's encoder takes, one row a clip. Throws what its decoder throws. */
export async function readInput(path: string, options: InputOptions): Promise<Inputs> {
  const { modality, recipe, hop = s(1) } = options;
  if (modality === "vision" && isVideo(path)) return readVideo(path, recipe, hop);
  return fileClips(options.recipe, await readFileReading(path, options), { hop: options.hop });
}
