import { join } from "node:path";
import { normalize, type UnitVector } from "../../src/core/embedding.js";
import { sentenceRows, textRecipe } from "./sentences.js";

/** Texts to unit vectors by a bundle folder's text tower: what the other towers are bound to. */
export async function textVectors(bundle: string): Promise<(texts: readonly string[]) => Promise<UnitVector[]>> {
  const rows = await sentenceRows(join(bundle, "text.onnx"), join(bundle, textRecipe.file));
  return async (texts) => (await rows(texts)).map(normalize);
}
