import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { normalize, type UnitVector } from "../../src/core/embedding.js";
import { TextRecipe } from "../../src/core/recipe.js";
import { loadGraph } from "../../src/encoder/onnxruntime.js";
import { openTokenizer } from "../../src/encoder/tokenizer/tokenizer.js";

const together = 32;

/** Texts to unit vectors by a bundle folder's text.onnx and tokenizer.json: what the other towers are bound to. */
export async function textVectors(bundle: string): Promise<(texts: readonly string[]) => Promise<UnitVector[]>> {
  const recipe = TextRecipe.parse({
    kind: "text",
    tokenizer: "tokenizer.json",
    file: "tokenizer.json",
    length: 256,
    mask: "attention_mask",
  });
  const tokenizer = await openTokenizer(recipe, (file) => readFile(join(bundle, file)));
  const graph = await loadGraph(join(bundle, "text.onnx"), {});
  return async (texts) => {
    const vectors: UnitVector[] = [];
    for (let from = 0; from < texts.length; from += together) {
      const some = texts.slice(from, from + together);
      const { embedding } = await graph.run(tokenizer.encode(some));
      const dim = embedding!.dims[1]!;
      const data = embedding!.data as Float32Array;
      for (let row = 0; row < some.length; row++) vectors.push(normalize(data.subarray(row * dim, (row + 1) * dim)));
    }
    return vectors;
  };
}
