import type { UnitVector } from "../../core/embedding.js";

/** Share of rows whose own anchor is the nearest, and among the five nearest. */
export interface Recall {
  readonly at1: number;
  readonly at5: number;
}

/** What guessing would give among `n` anchors. */
export const chance = (n: number): Recall => ({ at1: 1 / n, at5: Math.min(5, n) / n });

/** Retrieval of row i's anchor i among all; an equally near stranger counts as nearer. */
export function recallOf(rows: readonly UnitVector[], anchors: readonly UnitVector[]): Recall {
  let [at1, at5] = [0, 0];
  for (const [i, row] of rows.entries()) {
    const own = dot(row, anchors[i]!);
    const nearer = anchors.reduce((n, anchor, j) => (j !== i && !(dot(row, anchor) < own) ? n + 1 : n), 0);
    if (nearer < 1) at1++;
    if (nearer < 5) at5++;
  }
  return { at1: at1 / rows.length, at5: at5 / rows.length };
}

/** Cosine of every row with every anchor. */
export const similarities = (rows: readonly UnitVector[], anchors: readonly UnitVector[]): number[][] =>
  rows.map((row) => anchors.map((anchor) => dot(row, anchor)));

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
