import { SenseError } from "../../core/errors.js";

/** Merges that CLIP uses of its file, after the header line: 49152 - 256 - 2. */
const MERGES = 48_894;

/** Marks the last symbol of a word. */
const END = "</w>";

/**
 * GPT-2's printable character for each byte, in the order of the vocabulary: the printable bytes as themselves, then the others as
 * U+0100 and on.
 */
function byteSymbols(): { readonly order: readonly string[]; readonly ofByte: readonly string[] } {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 255 && byte !== 173);
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const others = bytes.filter((byte) => !printable(byte));
  const ofByte = bytes.map((byte) => String.fromCharCode(printable(byte) ? byte : 256 + others.indexOf(byte)));
  return { order: [...bytes.filter(printable), ...others].map((byte) => ofByte[byte]!), ofByte };
}

const { order, ofByte } = byteSymbols();
const utf8 = new TextEncoder();

/** CLIP's byte-pair encoding of a word, from the text of bpe_simple_vocab_16e6.txt. */
export class BytePairs {
  readonly #ids = new Map<string, number>();
  readonly #ranks = new Map<string, number>();
  readonly #known = new Map<string, readonly number[]>();

  /** Throws `BAD_BUNDLE` for a file with fewer merges than CLIP's. */
  constructor(merges: string) {
    const lines = merges.split("\n").slice(1, 1 + MERGES);
    if (lines.length < MERGES || lines.some((line) => !line.includes(" "))) {
      throw new SenseError(
        "BAD_BUNDLE",
        `the byte-pair vocabulary has ${lines.length} usable merges, CLIP's has ${MERGES}`,
        {
          hint: "Use OpenAI's bpe_simple_vocab_16e6.txt.gz (sha256 924691ac…).",
        },
      );
    }
    const symbols = [...order, ...order.map((symbol) => symbol + END), ...lines.map((line) => line.replace(" ", ""))];
    for (const [id, symbol] of symbols.entries()) this.#ids.set(symbol, id);
    for (const [rank, pair] of lines.entries()) this.#ranks.set(pair, rank);
  }

  /** Ids of one word. Short words are remembered, up to a bound. */
  encode(word: string): readonly number[] {
    const known = this.#known.get(word);
    if (known) return known;
    const ids = this.#merge(word).map((symbol) => this.#ids.get(symbol)!);
    if (this.#known.size < 10_000 && word.length < 32) this.#known.set(word, ids);
    return ids;
  }

  /** Joins the pair of the lowest rank, everywhere in the word from left to right, until no pair has a rank. */
  #merge(word: string): readonly string[] {
    const symbols = Array.from(utf8.encode(word), (byte) => ofByte[byte]!);
    symbols[symbols.length - 1] += END;
    const ranks = symbols.map((_, i) => this.#rank(symbols, i));
    for (;;) {
      const lowest = ranks.reduce((low, rank) => Math.min(low, rank), Number.POSITIVE_INFINITY);
      if (lowest === Number.POSITIVE_INFINITY) return symbols;
      this.#join(symbols, ranks, lowest);
    }
  }

  /** Joins every pair of that rank in place; only the ranks beside a joined pair are looked up again, which keeps long words fast. */
  #join(symbols: string[], ranks: number[], rank: number): void {
    const joined: number[] = [];
    let to = 0;
    for (let from = 0; from < symbols.length; from++, to++) {
      const pair = ranks[from] === rank;
      symbols[to] = pair ? symbols[from]! + symbols[from + 1]! : symbols[from]!;
      ranks[to] = ranks[pair ? from + 1 : from]!;
      if (pair) from++;
      if (pair) joined.push(to);
    }
    symbols.length = to;
    ranks.length = to;
    for (const i of joined) {
      ranks[i] = this.#rank(symbols, i);
      if (i > 0) ranks[i - 1] = this.#rank(symbols, i - 1);
    }
  }

  /** Rank of the pair that begins at `i`, infinite where it is not in the vocabulary. */
  #rank(symbols: readonly string[], i: number): number {
    return this.#ranks.get(`${symbols[i]} ${symbols[i + 1]}`) ?? Number.POSITIVE_INFINITY;
  }
}
