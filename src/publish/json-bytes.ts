/** Small enough that a message which is kept for long holds little else, large enough for a burst of events. */
const slabSize = 2 ** 16;
/** UTF-8 takes at most three bytes for each UTF-16 unit. */
const mostBytes = 3;

/**
 * Values as JSON in UTF-8. Messages share blocks of memory: a block of its own for each of thousands a second is what the
 * garbage collector would be busy with. Whoever keeps such bytes for long copies them.
 */
export class JsonBytes {
  #slab = Buffer.allocUnsafeSlow(slabSize);
  #used = 0;

  encode(value: unknown): Uint8Array {
    const text = JSON.stringify(value);
    const most = mostBytes * text.length;
    if (most > slabSize) return Buffer.from(text);
    if (this.#used + most > slabSize) {
      this.#slab = Buffer.allocUnsafeSlow(slabSize);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += this.#slab.write(text, start);
    return this.#slab.subarray(start, this.#used);
  }
}
