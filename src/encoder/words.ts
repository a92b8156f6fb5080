import { normalize, type UnitVector } from "../core/embedding.js";
import { abortable } from "./abortable.js";
import type { Feeds } from "./runtime.js";
import type { LoadedTower } from "./tower.js";
import type { VectorCache } from "./vector-cache.js";

export interface WordsParts {
  /** Loads the text tower; it is released as soon as the texts at hand are encoded. */
  readonly load: () => Promise<LoadedTower>;
  readonly tokenize: (texts: readonly string[]) => Promise<Feeds>;
  readonly cache: VectorCache | undefined;
}

/** Texts that are encoded together, whoever asked for them. */
interface Batch {
  readonly texts: Set<string>;
  readonly done: Promise<ReadonlyMap<string, UnitVector>>;
}

/** Texts that go through the tower together, padded to the longest of them. */
const together = 32;

/** Texts to unit vectors, from disk where they are known, else with a text tower that lives only as long as that takes. */
export class Words {
  readonly #parts: WordsParts;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting: Batch | undefined;

  constructor(parts: WordsParts) {
    this.#parts = parts;
  }

  /** One unit vector for each different text. */
  async encode(texts: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, UnitVector>> {
    const wanted = [...new Set(texts)];
    const known = await Promise.all(wanted.map((text) => this.#parts.cache?.get(text)));
    const missing = wanted.filter((_, i) => known[i] === undefined);
    const fresh = missing.length === 0 ? undefined : await this.#together(missing, signal);
    return new Map(wanted.map((text, i) => [text, fresh?.get(text) ?? normalize(known[i]!)]));
  }

  /**
   * One call at a time, so that the tower is in memory once; texts that come while it is waited for go with the next call,
   * so that words for many sensors cost one loading of the tower.
   */
  #together(texts: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, UnitVector>> {
    const batch = this.#waiting ?? this.#newBatch();
    this.#waiting = batch;
    for (const text of texts) batch.texts.add(text);
    return abortable(batch.done, signal);
  }

  #newBatch(): Batch {
    const texts = new Set<string>();
    const work = async () => {
      this.#waiting = undefined;
      const list = [...texts];
      const vectors = await this.#encode(list);
      return new Map(list.map((text, i) => [text, vectors[i]!]));
    };
    const done = this.#turn.then(work, work);
    this.#turn = done;
    return { texts, done };
  }

  async #encode(texts: readonly string[]): Promise<readonly UnitVector[]> {
    await using tower = await this.#parts.load();
    const vectors: UnitVector[] = [];
    for (let from = 0; from < texts.length; from += together) {
      const some = texts.slice(from, from + together);
      vectors.push(...(await tower.rows(await this.#parts.tokenize(some))).map(normalize));
    }
    await Promise.all(texts.map((text, i) => this.#parts.cache?.put(text, vectors[i]!)));
    return vectors;
  }
}
