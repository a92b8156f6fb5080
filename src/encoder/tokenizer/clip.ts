import { BytePairs } from "./bpe.js";
import { fixText } from "./ftfy.js";
import { unescapeHtml } from "./html-entities.js";

const START = 49_406;
const END = 49_407;

/** White space of the original's patterns, which is not JavaScript's: U+FEFF is none. Python's strip() takes four more. */
const space = "\\t-\\r\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const strippable = `[${space}\\x1c-\\x1f]`;
const runs = new RegExp(`[${space}]+`, "gu");
const ends = new RegExp(`^${strippable}+|${strippable}+$`, "gu");

/**
 * CLIP's words: special tokens, contractions, runs of letters, single digits, runs of anything else. The original ignores case;
 * in lower-cased text that leaves the long s, which folds to s, and U+0345, which folds to a letter and so is in no class.
 */
const words = new RegExp(
  `<\\|startoftext\\|>|<\\|endoftext\\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^${space}\\p{L}\\p{N}\\u0345]+`,
  "gu",
);

const specials: ReadonlyMap<string, number> = new Map([
  ["<|startoftext|>", START],
  ["<|endoftext|>", END],
]);

/** Text as CLIP's vocabulary knows it: repaired, unescaped twice, white space collapsed, in lower case (PARITY A3). */
export function clean(text: string): string {
  const plain = unescapeHtml(unescapeHtml(fixText(text))).replace(ends, "");
  return plain.replace(runs, " ").replace(ends, "").toLowerCase();
}

/** CLIP's tokenizer: ids of a text between start and end, cut to `length` with the end kept. */
export class ClipTokens {
  readonly #pairs: BytePairs;

  /** `merges` is the text of bpe_simple_vocab_16e6.txt. Throws `BAD_BUNDLE`. */
  constructor(merges: string) {
    this.#pairs = new BytePairs(merges);
  }

  ids(text: string, length: number): number[] {
    const ids = [START];
    for (const [word] of clean(text).matchAll(words)) {
      if (ids.length >= length) break;
      const special = specials.get(word);
      if (special === undefined) ids.push(...this.#pairs.encode(word));
      else ids.push(special);
    }
    return [...ids.slice(0, length - 1), END];
  }
}
