import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { TextRecipe } from "../../../src/core/recipe.js";
import { openTokenizer } from "../../../src/encoder/tokenizer/tokenizer.js";

interface Case {
  readonly text: string;
  readonly ids: number[];
  readonly cut: number[];
}

const folder = "test/golden/text";

/** Golden files made by Hugging Face's tokenizers 0.22 (Rust), on vocabularies trained on the golden texts. */
describe.for(["wordpiece", "clip-json", "unigram"])("tokenizer.json of the kind %s", (kind) => {
  const cases = JSON.parse(readFileSync(`${folder}/${kind}/cases.json`, "utf8")) as Case[];
  const recipe = TextRecipe.parse({ kind: "text", tokenizer: "tokenizer.json", file: "tokenizer.json", length: 512 });
  /** In a run of equal characters a unigram model has splits of the very same likelihood ("." ".." and ".." "."). */
  const decided = ({ text }: Case): boolean => kind !== "unigram" || !/(.)\1\1/su.test(text);
  const open = (length: number) =>
    openTokenizer({ ...recipe, length }, async (file) => readFileSync(`${folder}/${kind}/${file}`));

  test("every text has the ids of the reference", async () => {
    const tokenizer = await open(512);
    for (const { text, ids } of cases.filter(decided)) {
      expect([text, Array.from(tokenizer.encode([text]).input_ids!.data, Number)]).toEqual([text, ids]);
    }
  });

  test("a long text is cut between its special tokens", async () => {
    const tokenizer = await open(12);
    for (const { text, cut } of cases.filter(decided)) {
      expect(Array.from(tokenizer.encode([text]).input_ids!.data, Number)).toEqual(cut);
    }
  });
});

test("a batch is padded to its longest text, and the mask marks what is real", async () => {
  const recipe = TextRecipe.parse({
    kind: "text",
    tokenizer: "tokenizer.json",
    file: "tokenizer.json",
    length: 64,
    pad: 7,
    mask: "attention_mask",
    types: "token_type_ids",
  });
  const tokenizer = await openTokenizer(recipe, async (file) => readFileSync(`${folder}/wordpiece/${file}`));
  const { input_ids, attention_mask, token_type_ids } = tokenizer.encode(["a", "a dog runs fast"]);
  const [rows, length] = input_ids!.dims as [number, number];
  expect(rows).toBe(2);
  const real = Array.from(attention_mask!.data.subarray(0, length), Number).reduce((a, b) => a + b, 0);
  expect(real).toBeLessThan(length);
  expect(Array.from(input_ids!.data.subarray(real, length), Number)).toEqual(Array(length - real).fill(7));
  expect(Array.from(attention_mask!.data.subarray(length), Number)).toEqual(Array(length).fill(1));
  expect(token_type_ids!.data.every((id) => id === 0n)).toBe(true);
});

test("a damaged tokenizer.json is refused", async () => {
  const recipe = TextRecipe.parse({ kind: "text", tokenizer: "tokenizer.json", file: "tokenizer.json", length: 64 });
  await expect(openTokenizer(recipe, async () => Buffer.from('{"model":'))).rejects.toMatchObject({
    code: "BAD_BUNDLE",
  });
});
