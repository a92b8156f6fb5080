import { cosine, normalize, type UnitVector } from "../../src/core/embedding.js";

export interface ContrastOptions {
  /** The most that a concept's vector may have in common with the words of another. */
  readonly cap: number;
  /** Pairs of concepts that are true together and need no keeping apart. */
  readonly together?: (a: number, b: number) => boolean;
}

/**
 * Moves the vectors that concepts are bound to away from one another's words: "cat" and "dog" have a cosine of 0.5 as words, so a cat bound
 * to its own words alone would also sound like a dog. Repeated projections onto the half-spaces `v . word <= cap`.
 */
export function apart(
  vectors: readonly UnitVector[],
  words: readonly (readonly UnitVector[])[],
  { cap, together = () => false }: ContrastOptions,
): UnitVector[] {
  return vectors.map((vector, own) => {
    const others = words.filter((_, other) => other !== own && !together(own, other)).flat();
    let moved = vector;
    for (let round = 0; round < 50; round++) {
      for (const word of others) {
        const excess = cosine(moved, word) - cap;
        if (excess > 0) moved = moved.map((x, i) => x - excess * word[i]!) as UnitVector;
      }
      moved = normalize(moved);
    }
    return moved;
  });
}
