import { shuffle } from "../../core/random.js";
import type { Augment } from "../augment/augment.js";
import type { Pair } from "../pairs/pair.js";

export interface BatchOptions {
  readonly batch: number;
  /** Past anchors that go with each batch as negatives. */
  readonly queue: number;
  readonly random: () => number;
  readonly augment?: Augment | undefined;
}

/** Batches without end: each epoch in another order, each pair changed a little, with the anchors of other pairs as a queue. */
export class Batches {
  readonly #pairs: readonly Pair[];
  readonly #options: BatchOptions;
  #rest: Pair[] = [];

  constructor(pairs: readonly Pair[], options: BatchOptions) {
    this.#pairs = pairs;
    this.#options = options;
  }

  /** `count` batches end to end: `x` the sensor's inputs, `anchors`, and `queue` where there is one. */
  take(count: number): Record<string, Float32Array> {
    const { batch, queue, random, augment } = this.#options;
    const size = this.#pairs[0]!.sensor.data.length;
    const dim = this.#pairs[0]!.anchor.length;
    const x = new Float32Array(count * batch * size);
    const anchors = new Float32Array(count * batch * dim);
    const past = new Float32Array(count * queue * dim);
    for (let i = 0; i < count; i++) {
      for (const [j, pair] of this.#next().entries()) {
        const at = i * batch + j;
        const { data } = augment === undefined ? pair.sensor : augment(pair.sensor, random);
        x.set(data, at * size);
        anchors.set(pair.anchor, at * dim);
      }
      for (let j = 0; j < queue; j++) {
        past.set(this.#pairs[Math.floor(random() * this.#pairs.length)]!.anchor, (i * queue + j) * dim);
      }
    }
    return queue > 0 ? { x, anchors, queue: past } : { x, anchors };
  }

  #next(): readonly Pair[] {
    const { batch, random } = this.#options;
    const found: Pair[] = [];
    while (found.length < batch) {
      if (this.#rest.length === 0) this.#rest = shuffle(this.#pairs, random);
      found.push(this.#rest.pop()!);
    }
    return found;
  }
}
