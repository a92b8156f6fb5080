/** A topic as it is sent: empty where the broker knows its alias already. */
export interface Aliased {
  readonly topic: string;
  readonly alias: number | undefined;
}

/** Topic aliases of one connection (MQTT 5, section 3.3.2.3.4), as many as the broker takes; the oldest used is given away. */
export class TopicAliases {
  readonly #most: number;
  readonly #aliases = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** What stands for a topic in the packet that is about to be sent. */
  use(topic: string): Aliased {
    if (this.#most === 0) return { topic, alias: undefined };
    const known = this.#aliases.get(topic);
    const alias = known ?? this.#free();
    // Put at the end: a map goes through its keys in the order in which they were set.
    if (known !== undefined) this.#aliases.delete(topic);
    this.#aliases.set(topic, alias);
    return { topic: known === undefined ? topic : "", alias };
  }

  #free(): number {
    if (this.#aliases.size < this.#most) return this.#aliases.size + 1;
    const [oldest, alias] = this.#aliases.entries().next().value!;
    this.#aliases.delete(oldest);
    return alias;
  }
}
