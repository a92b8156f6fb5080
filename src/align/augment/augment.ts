import type { Tensor } from "../../core/tensor.js";

/** A changed copy of a sensor's input of the same shape; the same random numbers give the same copy. */
export type Augment = (input: Tensor<Float32Array>, random: () => number) => Tensor<Float32Array>;

/** One change after another. */
export const chain =
  (...changes: readonly Augment[]): Augment =>
  (input, random) =>
    changes.reduce((changed, change) => change(changed, random), input);

/** The change in a share of the cases, the input itself in the others. */
export const sometimes =
  (share: number, change: Augment): Augment =>
  (input, random) =>
    random() < share ? change(input, random) : input;

/** A uniform number within `[-most, most)`. */
export const within = (most: number, random: () => number): number => most * (2 * random() - 1);
