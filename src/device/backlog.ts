import { setImmediate as nextTurn } from "node:timers/promises";

export interface BacklogOptions {
  /** `all`: `put` waits while the backlog is full; `latest`: the oldest values give way. */
  readonly delivery: "all" | "latest";
  readonly capacity: number;
  /** Bytes of all values together; one value is held whatever its size. */
  readonly bytes: number;
}

/** Puts that follow one another without a pause before the event loop gets a turn: a flood must not starve the other sensors. */
const putsPerTurn = 64;

/** A bounded queue between a source that pushes and a reader that pulls. */
export class Backlog<T> {
  readonly #options: BacklogOptions;
  readonly #sizeOf: (value: T) => number;
  #values: T[] = [];
  #bytes = 0;
  #puts = 0;
  #closed: { error?: unknown } | undefined;
  #wakeReader = (): void => {};
  #wakeWriter = (): void => {};
  /** Values that gave way. */
  dropped = 0;

  constructor(options: BacklogOptions, sizeOf: (value: T) => number) {
    this.#options = options;
    this.#sizeOf = sizeOf;
  }

  get #full(): boolean {
    const { capacity, bytes } = this.#options;
    return this.#values.length > 0 && (this.#values.length >= capacity || this.#bytes >= bytes);
  }

  /** Whether the source is waiting for the reader. */
  blocked = false;

  async put(value: T): Promise<void> {
    while (this.#full && !this.#closed) {
      if (this.#options.delivery === "latest") {
        this.#bytes -= this.#sizeOf(this.#values.shift()!);
        this.dropped += 1;
      } else {
        this.blocked = true;
        await new Promise<void>((resolve) => {
          this.#wakeWriter = resolve;
        });
        this.blocked = false;
      }
    }
    if (this.#closed) return;
    this.#values.push(value);
    this.#bytes += this.#sizeOf(value);
    this.#wakeReader();
    this.#puts += 1;
    if (this.#puts % putsPerTurn === 0) await nextTurn();
  }

  /** Ends the queue: what is in it is still read, then it ends, or fails with `error`. */
  close(error?: unknown): void {
    this.#closed ??= error === undefined ? {} : { error };
    this.#wakeReader();
    this.#wakeWriter();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const value = this.#values.shift();
      if (value !== undefined) {
        this.#bytes -= this.#sizeOf(value);
        this.#wakeWriter();
        yield value;
      } else if (this.#closed) {
        if ("error" in this.#closed) throw this.#closed.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }
}
