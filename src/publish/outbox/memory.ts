import type { Losses } from "../messages.js";
import { type Lane, type Letter, lanes, lossOf, type Outbox, type Recovered, type Stored } from "./letter.js";

/** An outbox that a crash empties: for tests, demos and nodes without a disk. */
export class MemoryOutbox implements Outbox {
  readonly recovered: Recovered = { open: [], nextSeq: 0 };
  onReady: () => void = () => {};
  readonly #maxBytes: number;
  readonly #waiting: Record<Lane, Stored[]> = { embedding: [], update: [], edge: [] };
  #taken: Stored[] = [];
  #bytes = 0;
  #next = 0;
  #losses: Losses = { embeddings: 0, updates: 0, events: 0 };

  constructor({ maxBytes = 64 * 2 ** 20 }: { readonly maxBytes?: number } = {}) {
    this.#maxBytes = maxBytes;
  }

  get losses(): Losses {
    return this.#losses;
  }

  get next(): number {
    return this.#next;
  }

  get pending(): number {
    return this.#taken.length + lanes.reduce((sum, lane) => sum + this.#waiting[lane].length, 0);
  }

  append(letter: Letter): void {
    this.#waiting[letter.lane].push({ ...letter, position: this.#next++ });
    this.#bytes += letter.payload.length;
    while (this.#bytes > this.#maxBytes && this.#shed());
    this.onReady();
  }

  /** Gives up the oldest letter of the first lane that has one; those that are under way are not touched. */
  #shed(): boolean {
    const lane = lanes.find((name) => this.#waiting[name].length > 0);
    if (lane === undefined) return false;
    this.#bytes -= this.#waiting[lane].shift()!.payload.length;
    this.#losses = { ...this.#losses, [lossOf[lane]]: this.#losses[lossOf[lane]] + 1 };
    return true;
  }

  take(): Stored | undefined {
    const heads = lanes.map((lane) => this.#waiting[lane]).filter((letters) => letters.length > 0);
    if (heads.length === 0) return undefined;
    const oldest = heads.reduce((a, b) => (a[0]!.position < b[0]!.position ? a : b)).shift()!;
    this.#taken.push(oldest);
    return oldest;
  }

  settle(position: number): void {
    const index = this.#taken.findIndex((letter) => letter.position === position);
    if (index < 0) return;
    this.#bytes -= this.#taken[index]!.payload.length;
    this.#taken.splice(index, 1);
  }

  rewind(): void {
    for (const lane of lanes) {
      this.#waiting[lane] = [...this.#taken.filter((letter) => letter.lane === lane), ...this.#waiting[lane]];
    }
    this.#taken = [];
  }

  async flush(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
