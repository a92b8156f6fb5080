import { gunzipSync } from "node:zlib";
import { SenseError } from "../../core/errors.js";
import type { TextRecipe } from "../../core/recipe.js";
import { type Tensor, tensor } from "../../core/tensor.js";
import { ClipTokens } from "./clip.js";

/** Texts as the inputs of a text tower, by name: int64 `[texts, length]`. */
export interface Tokenizer {
  encode(texts: readonly string[]): Readonly<Record<string, Tensor<BigInt64Array>>>;
}

/** Ids of one text, special tokens included, no more than `length`. */
type Ids = (text: string, length: number) => readonly number[];

/** The tokenizer of a bundle; `readFile` gives a file of its folder. Throws `BAD_BUNDLE`. */
export async function openTokenizer(
  recipe: TextRecipe,
  readFile: (file: string) => Promise<Uint8Array>,
): Promise<Tokenizer> {
  const bytes = await readFile(recipe.file);
  const ids = recipe.tokenizer === "clip" ? clipIds(bytes) : await huggingFaceIds(bytes);
  return {
    encode: (texts) =>
      padded(
        texts.map((text) => ids(text, recipe.length)),
        recipe,
      ),
  };
}

function clipIds(bytes: Uint8Array): Ids {
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const clip = new ClipTokens(new TextDecoder().decode(compressed ? gunzip(bytes) : bytes));
  return (text, length) => clip.ids(text, length);
}

async function huggingFaceIds(bytes: Uint8Array): Promise<Ids> {
  const { HuggingFaceTokens } = await import("./huggingface.js");
  const tokens = new HuggingFaceTokens(new TextDecoder().decode(bytes));
  return (text, length) => tokens.ids(text, length);
}

function gunzip(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new SenseError("BAD_BUNDLE", "the vocabulary is not a whole gzip file", {
      hint: "Import or pull the bundle again.",
      cause,
    });
  }
}

function padded(rows: readonly (readonly number[])[], recipe: TextRecipe): Record<string, Tensor<BigInt64Array>> {
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 1);
  const length = recipe.padTo === "fixed" ? recipe.length : longest;
  const dims = [rows.length, length];
  const ids = new BigInt64Array(rows.length * length).fill(BigInt(recipe.pad));
  const mask = new BigInt64Array(ids.length);
  for (const [r, row] of rows.entries()) {
    for (const [i, id] of row.entries()) ids[r * length + i] = BigInt(id);
    mask.fill(1n, r * length, r * length + row.length);
  }
  const out: Record<string, Tensor<BigInt64Array>> = { [recipe.ids]: tensor(dims, ids) };
  if (recipe.mask !== undefined) out[recipe.mask] = tensor(dims, mask);
  if (recipe.types !== undefined) out[recipe.types] = tensor(dims, new BigInt64Array(ids.length));
  return out;
}
