import { Tokenizer } from "@huggingface/tokenizers";
import { SenseError } from "../../core/errors.js";

/** A Hugging Face tokenizer.json: BERT's WordPiece, CLIP's and SigLIP's vocabularies and the like. */
export class HuggingFaceTokens {
  readonly #tokenizer: Tokenizer;

  /** Throws `BAD_BUNDLE` for what is no tokenizer.json. */
  constructor(json: string) {
    try {
      this.#tokenizer = new Tokenizer(JSON.parse(json) as object, {});
    } catch (cause) {
      throw new SenseError("BAD_BUNDLE", "tokenizer.json could not be used", {
        hint: "Import the bundle again; the file must be the one of the text model.",
        cause,
      });
    }
  }

  /** Ids with the special tokens that the file's own rule puts around them; a long text is cut between those. */
  ids(text: string, length: number): number[] {
    const { ids } = this.#tokenizer.encode(text);
    if (ids.length <= length) return ids;
    const around = this.#tokenizer.encode("").ids;
    let after = 0;
    while (after < around.length && around.at(-1 - after) === ids.at(-1 - after)) after++;
    return [...ids.slice(0, length - after), ...ids.slice(ids.length - after)];
  }
}
