import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { imagebindRecipes } from "../../../src/core/imagebind.js";
import { seeded } from "../../../src/core/random.js";
import { clean } from "../../../src/encoder/tokenizer/clip.js";
import { openTokenizer, type Tokenizer } from "../../../src/encoder/tokenizer/tokenizer.js";
import { goldenJson, goldenTensor, hasGolden } from "../../support/golden.js";

interface TextCase {
  readonly id: string;
  readonly text: string;
  readonly cleaned: string;
  readonly tokens: number[];
  readonly pool_index: number;
}

const vocabulary = readFileSync(resolve("models/clip/bpe_simple_vocab_16e6.txt.gz"));
const cases = goldenJson<TextCase[]>("text/texts.json", []);
let clip: Tokenizer;

beforeAll(async () => {
  clip = await openTokenizer(imagebindRecipes.text, async () => vocabulary);
});

const idsOf = (texts: readonly string[]): number[] => Array.from(clip.encode(texts).input!.data, Number);

test("the shipped vocabulary is OpenAI's file, byte for byte", () => {
  const sha256 = createHash("sha256").update(vocabulary).digest("hex");
  expect(sha256).toBe("924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a");
});

describe.for(cases)("text $id", ({ text, cleaned, tokens, pool_index }) => {
  test("is cleaned and tokenized exactly as by the original", () => {
    expect(clean(text)).toBe(cleaned);
    const ids = idsOf([text]);
    expect(ids).toHaveLength(77);
    expect(ids.slice(0, tokens.length)).toEqual(tokens);
    expect(ids.slice(tokens.length).every((id) => id === 0)).toBe(true);
    expect(ids.indexOf(49_407)).toBe(pool_index);
  });
});

test.runIf(hasGolden("text/tokens.npy"))("a batch of all texts is the original's matrix", () => {
  const { input } = clip.encode(cases.map(({ text }) => text));
  const expected = goldenTensor("text", "tokens.npy");
  expect(input!.dims).toEqual(expected.dims);
  expect(input!.data).toEqual(expected.data);
});

test("a text of any length becomes 77 ids that begin with start and have an end", () => {
  for (const words of [0, 1, 74, 75, 76, 77, 5000]) {
    const ids = idsOf(["dog ".repeat(words)]);
    expect(ids).toHaveLength(77);
    expect(ids[0]).toBe(49_406);
    expect(ids.indexOf(49_407)).toBe(Math.min(words + 1, 76));
  }
});

test("a word of 20,000 letters is no trouble", () => {
  const random = seeded(1);
  const word = Array.from({ length: 20_000 }, () => String.fromCharCode(97 + random() * 26)).join("");
  expect(idsOf([word]).slice(0, 10)).toEqual(idsOf([word.slice(0, 1000)]).slice(0, 10));
});

test("a vocabulary that is cut short is refused with what to use", async () => {
  const cut = openTokenizer(imagebindRecipes.text, async () => vocabulary.subarray(0, 1000));
  await expect(cut).rejects.toMatchObject({ code: "BAD_BUNDLE" });
  const short = openTokenizer(imagebindRecipes.text, async () => Buffer.from("#version\na b\n"));
  await expect(short).rejects.toMatchObject({ code: "BAD_BUNDLE", hint: expect.stringContaining("bpe_simple_vocab") });
});
