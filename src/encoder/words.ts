import { normalize, type UnitVector } from "../core/embedding.js";
import type { Feeds } from "./runtime.js";
import type { LoadedTower } from "./tower.js";
import type { VectorCache } from "./vector-cache.js";

export interface WordsParts {
  /** Loads the text tower; it is released as soon as the texts at hand are encoded. */
  readonly load: () => Promise<LoadedTower>;
  readonly tokenize: (texts: readonly string[]) => Promise<Feeds>;
  readonly cache: VectorCache | undefined;
}

/** Texts that go through the tower together, padded to the longest of them. */
const together = 32;

/** Texts to unit vectors, from disk where they are known, else with a text tower that lives only as long as that takes. */
export class Words {
  readonly #parts: WordsParts;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: WordsParts) {
    this.#parts = parts;
  }

  /** One unit vector for each different text. */
  async encode(texts: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, UnitVector>> {
    const wanted = [...new Set(texts)];
    const known = await Promise.all(wanted.map((text) => this.#parts.cache?.get(text)));
    const missing = wanted.filter((_, i) => known[i] === undefined);
    const made = missing.length === 0 ? [] : await this.#inTurn(() => this.#encode(missing, signal));
    const fresh = new Map(missing.map((text, i) => [text, made[i]!]));
    return new Map(wanted.map((text, i) => [text, fresh.get(text) ?? normalize(known[i]!)]));
  }

  /** One call at a time, so that the tower is in memory once. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result;
    return result;
  }

  async #encode(texts: readonly string[], signal?: AbortSignal): Promise<readonly UnitVector[]> {
    await using tower = await this.#parts.load();
    const vectors: UnitVector[] = [];
    for (let from = 0; from < texts.length; from += together) {
      const some = texts.slice(from, from + together);
      vectors.push(...(await tower.rows(await this.#parts.tokenize(some), signal)).map(normalize));
    }
    await Promise.all(texts.map((text, i) => this.#parts.cache?.put(text, vectors[i]!)));
    return vectors;
  }
}
