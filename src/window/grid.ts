import { after, type Duration, type Micros, micros } from "../core/time.js";

/** Spans `[from, to)` of one length, one every hop, counted from an anchor so that no rounding adds up. */
export class Grid {
  readonly #anchor: Micros;
  readonly #length: Duration;
  readonly #hop: Duration;
  #index = 0;

  constructor(anchor: Micros, { length, hop }: { readonly length: Duration; readonly hop: Duration }) {
    this.#anchor = anchor;
    this.#length = length;
    this.#hop = hop;
  }

  get from(): Micros {
    return micros(this.#anchor + this.#index * this.#hop);
  }

  get to(): Micros {
    return after(this.from, this.#length);
  }

  next(): void {
    this.#index++;
  }
}
