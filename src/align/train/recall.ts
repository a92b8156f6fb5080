import type { UnitVector } from "../../core/embedding.js";

/** Share of rows whose own anchor is the nearest, and among the five nearest. */
export interface Recall {
  readonly at1: number;
  readonly at5: number;
}

/**
 * Retrieval of row i's anchor i among all; an equally near stranger counts as nearer. Where `scenes` numbers what the camera saw,
 * other anchors of the same scene are no strangers: the camera itself could not tell them apart.
 */
export function recallOf(
  rows: readonly UnitVector[],
  anchors: readonly UnitVector[],
  scenes?: readonly number[],
): Recall {
  let [at1, at5] = [0, 0];
  for (const [i, row] of rows.entries()) {
    const own = dot(row, anchors[i]!);
    let nearer = 0;
    for (const [j, anchor] of anchors.entries()) {
      const isStranger = j !== i && (scenes === undefined || scenes[j] !== scenes[i]);
      if (isStranger && !(dot(row, anchor) < own)) nearer++;
    }
    if (nearer < 1) at1++;
    if (nearer < 5) at5++;
  }
  return { at1: at1 / rows.length, at5: at5 / rows.length };
}

/** The same for guessing, where scenes come more than once. */
export function chanceOf(scenes: readonly number[]): Recall {
  const n = scenes.length;
  const share = (hits: number): number => {
    const each = scenes.map((scene) => {
      const strangers = scenes.filter((other) => other !== scene).length;
      return Math.min(1, hits / (strangers + 1));
    });
    return each.reduce((a, b) => a + b, 0) / n;
  };
  return { at1: share(1), at5: share(5) };
}

/** Cosine of every row with every anchor. */
export const similarities = (rows: readonly UnitVector[], anchors: readonly UnitVector[]): number[][] =>
  rows.map((row) => anchors.map((anchor) => dot(row, anchor)));

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
