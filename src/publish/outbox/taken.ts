import type { Stored } from "./letter.js";

/** Which letters are under way and which are settled: everything up to `settled`, and some beyond it. */
export class Taken {
  /** Every letter up to this position is settled. */
  settled: number;
  /** The position that was taken last. */
  last: number;
  #order: number[] = [];
  #head = 0;
  readonly #ahead = new Set<number>();
  /** Letters under way whose place on disk was given up: they cannot be given again. */
  #orphans = new Map<number, Stored>();

  constructor(settled: number) {
    this.settled = settled;
    this.last = settled;
  }

  /** Notes that a letter is under way; "settled" if it was acknowledged before the link was lost. */
  take({ position }: Stored): "settled" | "under way" {
    this.last = position;
    this.#order.push(position);
    if (!this.#ahead.has(position)) return "under way";
    this.#advance();
    return "settled";
  }

  /** False for a letter that is not under way. */
  settle(position: number): boolean {
    if (position <= this.settled || position > this.last || this.#ahead.has(position)) return false;
    this.#ahead.add(position);
    this.#orphans.delete(position);
    this.#advance();
    return true;
  }

  #advance(): void {
    while (this.#head < this.#order.length && this.#ahead.delete(this.#order[this.#head]!)) this.#head++;
    this.settled = this.#head < this.#order.length ? this.#order[this.#head]! - 1 : this.last;
    if (this.#head > 1024) {
      this.#order = this.#order.slice(this.#head);
      this.#head = 0;
    }
  }

  /** True if a letter that is lost on disk is under way, or was acknowledged out of order. */
  orphan(letter: Stored): boolean {
    if (letter.position > this.last) return false;
    if (!this.#ahead.has(letter.position)) this.#orphans.set(letter.position, letter);
    return true;
  }

  /** Nothing is under way any more; gives the letters that cannot be given again. */
  rewind(): readonly Stored[] {
    const lost = [...this.#orphans.values()];
    this.#orphans = new Map();
    this.#order = [];
    this.#head = 0;
    this.last = this.settled;
    return lost;
  }
}
