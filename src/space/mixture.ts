import { combine, cosine, type UnitVector } from "../core/embedding.js";
import { isSenseError, SenseError } from "../core/errors.js";
import type { Level, Prompt } from "./prompt.js";

/** A prompt and how much of it there is; a negative weight takes its meaning away. */
export interface Part {
  readonly prompt: Prompt;
  readonly weight: number;
}

/** Terms without a weight share a weight of 1, so that a list is a mean. */
export function weighted(
  terms: readonly { readonly prompt: Prompt; readonly weight?: number | undefined }[],
  sign = 1,
): Part[] {
  const plain = terms.filter(({ weight }) => weight === undefined).length;
  return terms.map(({ prompt, weight = 1 / plain }) => ({ prompt, weight: sign * weight }));
}

/** The sum is taken in an order of its own, so that the order in which the parts were written changes no bit of it. */
export const inOrder = (parts: readonly Part[]): readonly Part[] =>
  [...parts].sort((a, b) =>
    a.prompt.text < b.prompt.text ? -1 : a.prompt.text > b.prompt.text ? 1 : a.weight - b.weight,
  );

export function direction(id: string, parts: readonly Part[]): UnitVector {
  try {
    return combine(parts.map(({ prompt: { vector }, weight }) => ({ vector, weight })));
  } catch (cause) {
    if (!isSenseError(cause, "BAD_TENSOR")) throw cause;
    throw new SenseError("BAD_CONFIG", `concept ${id}: what is added and what is taken away cancel out`, {
      hint: "Remove the minus term that repeats a text, an example or a plus term.",
      cause,
    });
  }
}

/** What the cosine with a sum is on unrelated content, from what it is with each part; undefined where all parts are words. */
export function levelOf(parts: readonly Part[], sum: UnitVector, words: Level | undefined): Level | undefined {
  if (parts.every(({ prompt }) => prompt.background === undefined)) return undefined;
  const length = parts.reduce((total, { prompt, weight }) => total + weight * cosine(prompt.vector, sum), 0);
  const all = parts.reduce((total, { weight }) => total + Math.abs(weight), 0);
  const level = { mean: 0, deviation: 0 };
  for (const { prompt, weight } of parts) {
    const { mean, deviation } = prompt.background ?? words ?? level;
    level.mean += (weight * mean) / length;
    level.deviation += (Math.abs(weight) * deviation) / all;
  }
  return level;
}
