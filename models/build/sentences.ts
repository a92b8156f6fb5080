import { readFile } from "node:fs/promises";
import type { TextRecipe } from "../../src/core/recipe.js";
import { loadGraph } from "../../src/encoder/onnxruntime.js";
import { openTokenizer } from "../../src/encoder/tokenizer/tokenizer.js";

/** What the text tower of the bundle takes: manifest and build scripts share it. */
export const textRecipe: TextRecipe = {
  kind: "text",
  tokenizer: "tokenizer.json",
  file: "tokenizer.json",
  length: 128,
  padTo: "longest",
  pad: 0,
  ids: "input_ids",
  mask: "attention_mask",
};

/** Runs a text tower over texts of similar length together; the rows are as the graph gives them, not normalised. */
export async function sentenceRows(
  model: string,
  tokenizerFile: string,
): Promise<(texts: readonly string[]) => Promise<Float32Array[]>> {
  const tokenizer = await openTokenizer(textRecipe, () => readFile(tokenizerFile));
  const graph = await loadGraph(model, {});
  return async (texts) => {
    const rows = new Array<Float32Array>(texts.length);
    const order = texts.map((_, i) => i).sort((a, b) => texts[a]!.length - texts[b]!.length);
    for (let at = 0; at < order.length; at += 32) {
      const some = order.slice(at, at + 32);
      const { embedding } = await graph.run(tokenizer.encode(some.map((i) => texts[i]!)));
      const [dim, data] = [embedding!.dims[1]!, embedding!.data as Float32Array];
      for (const [row, i] of some.entries()) rows[i] = data.slice(row * dim, (row + 1) * dim);
    }
    return rows;
  };
}
