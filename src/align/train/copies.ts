/**
 * Copies of a training's vectors for a run to take over, so that one that fails or is cut short does not take the state with it. They
 * are made where the state before lay: for large networks, memory that was never touched costs more than the copying.
 */
export class Copies {
  readonly #spare = new Map<string, Float32Array>();

  /** A copy that may be given away. */
  of(name: string, vector: Float32Array): Float32Array {
    const spare = this.#spare.get(name);
    this.#spare.delete(name);
    // What was given away before has length 0.
    if (spare?.length !== vector.length) return vector.slice();
    spare.set(vector);
    return spare;
  }

  /** A vector that nobody needs any more. */
  reuse(name: string, vector: Float32Array): void {
    this.#spare.set(name, vector);
  }
}

/** Vectors that stay as they are while training goes on. */
export const copied = (vectors: ReadonlyMap<string, Float32Array>): ReadonlyMap<string, Float32Array> =>
  new Map([...vectors].map(([name, vector]) => [name, vector.slice()]));
