/**
 * Values put in at one end and read in order at the other. Bounded: when `limit` values wait, the oldest gives way and
 * `dropped` counts it. Read by one reader.
 */
export class Channel<T> implements AsyncIterable<T> {
  dropped = 0;
  readonly #limit: number;
  readonly #waiting: T[] = [];
  #closed = false;
  #wake = (): void => {};

  constructor(limit: number) {
    this.#limit = limit;
  }

  get closed(): boolean {
    return this.#closed;
  }

  put(value: T): void {
    if (this.#closed) return;
    if (this.#waiting.length >= this.#limit) {
      this.#waiting.shift();
      this.dropped++;
    }
    this.#waiting.push(value);
    this.#wake();
  }

  /** The reader gets what still waits, then the end. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      while (this.#waiting.length > 0) yield this.#waiting.shift()!;
      if (this.#closed) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
