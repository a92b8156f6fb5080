import { type Matrix, rowsOf, solveInPlace } from "./ridge.js";
import type { Synset } from "./wordnet.js";

export interface ConseOptions {
  /** Weight of a word for each step up the hypernyms. */
  readonly decay: number;
  /** Steps up that still say something: beyond, everything is an object. */
  readonly steps: number;
  /** Ridge on the covariance of the vocabulary, in units of its mean variance. */
  readonly lambda: number;
}

/**
 * The point of each class in the word space, `[1000, dim]`, unit rows. ConSE (Norouzi et al. 2014) averages the classes' word
 * vectors by their probabilities; here a class's vector is the one whose products with the vocabulary are, in the least squares
 * sense, 1 for its own names, `decay^n` for what it is in n steps a kind of, and 0 for every other word.
 */
export function classPoints(
  synsets: readonly Synset[],
  vocabulary: { readonly words: readonly string[]; readonly vectors: Matrix },
  { decay, steps, lambda }: ConseOptions,
): Matrix {
  const { words, vectors } = vocabulary;
  const index = new Map(words.map((word, i) => [word, i]));
  const [dim, n] = [vectors.width, rowsOf(vectors)];
  const rowOf = (word: string): Float64Array => {
    const i = index.get(word)!;
    return vectors.data.subarray(i * dim, (i + 1) * dim);
  };
  const covariance = new Float64Array(dim * dim);
  for (let r = 0; r < n; r++)
    for (let i = 0; i < dim; i++)
      for (let j = 0; j <= i; j++)
        covariance[i * dim + j]! += (vectors.data[r * dim + i]! * vectors.data[r * dim + j]!) / n;
  let trace = 0;
  for (let i = 0; i < dim; i++) trace += covariance[i * dim + i]!;
  for (let i = 0; i < dim; i++) covariance[i * dim + i]! += (lambda * trace) / dim;

  const wanted = new Float64Array(dim * synsets.length);
  for (const [c, { synset, hypernyms }] of synsets.entries()) {
    const weights = new Map<string, number>(synset.map((word) => [word, 1]));
    for (const [step, names] of hypernyms.slice(0, steps).entries())
      for (const word of names) weights.set(word, Math.max(weights.get(word) ?? 0, decay ** (step + 1)));
    for (const [word, weight] of weights) {
      const row = rowOf(word);
      for (let i = 0; i < dim; i++) wanted[i * synsets.length + c]! += weight * row[i]!;
    }
  }
  solveInPlace(covariance, wanted, dim);
  return unitRows({ width: dim, data: transposed(wanted, dim, synsets.length) });
}

function transposed(data: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c]!;
  return out;
}

/** Rows scaled to length 1. */
export function unitRows({ width, data }: Matrix): Matrix {
  const out = new Float64Array(data.length);
  for (let r = 0; r < data.length; r += width) {
    const length = Math.hypot(...data.subarray(r, r + width));
    for (let i = 0; i < width; i++) out[r + i] = data[r + i]! / length;
  }
  return { width, data: out };
}
