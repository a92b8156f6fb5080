import type { Anchor, Sensed } from "../../align/pairs/pair.js";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import type { Block } from "../../core/reading.js";
import type { Recipe, SeriesRecipe } from "../../core/recipe.js";
import type { Tensor } from "../../core/tensor.js";
import { type Duration, type Micros, micros } from "../../core/time.js";
import { decodeFrame } from "../../pipeline/perceive.js";
import type { Cut } from "../../window/cut.js";
import { type Inputs, preprocessor } from "../../window/preprocess.js";

/** What both sides gave, before it is known what is learned from it. */
export interface Gathered {
  readonly modality: Exclude<Modality, "text">;
  readonly recipe: Recipe;
  readonly window: { readonly length: Duration; readonly hop: Duration };
  readonly windows: readonly Sensed[];
  readonly anchors: readonly Anchor[];
  /** Whether the times are those of clocks, not of rows in a table. */
  readonly timed: boolean;
  /** Whether the anchors are words in a camera's place. */
  readonly words?: boolean;
  /** Whether the windows are the frozen encoder's vectors already, as a running flow has them. */
  readonly encoded?: boolean;
  /** Where the windows are too large to hold them all: `windows` has sketches of them, and this gives whole ones. */
  readonly whole?: Whole | undefined;
  /** The windows with these numbers as the encoder that the sensor has takes them, where that is not what is learned from. */
  readonly asBefore?: Whole["of"] | undefined;
  /** Of a long recording, one minute in so many was used; 1 unless given. */
  readonly every?: number;
}

export interface Whole {
  /** Shape of one input, without the batch. */
  readonly dims: readonly number[];
  /** The inputs of the windows with these numbers, by a second reading. */
  of(numbers: ReadonlySet<number>): AsyncIterable<{ readonly number: number; readonly input: Tensor<Float32Array> }>;
}

/** Samples of a window at most: a faster sensor is resampled. */
const mostSteps = 512;

/** What a reading or a window says of its sensor. */
export type Form =
  | Pick<Block, "kind" | "modality" | "channels" | "rate">
  | { readonly kind: "frame" | "encoded" | "frames"; readonly modality: Modality };

/** A recipe for named channels as they come; their mean and deviation are measured later. Throws `MODALITY_UNSUPPORTED` for pictures. */
export function recipeOf(first: Form, { length }: { readonly length: Duration }): Recipe {
  if (first.kind === "block" && first.modality !== "audio") {
    const seconds = length / 1e6;
    const steps = Math.max(1, Math.min(mostSteps, Math.round(first.rate * seconds)));
    return {
      kind: "series",
      input: "input",
      rate: steps / seconds,
      steps,
      channels: [...first.channels],
      short: "pad",
    };
  }
  if (first.modality === "thermal") {
    return { kind: "thermal", input: "input", size: mapSize, range: "minmax", mean: 0, std: 1 };
  }
  if (first.modality === "depth") return { ...depthMap, size: mapSize };
  throw new SenseError("MODALITY_UNSUPPORTED", `the bundle has no ${first.modality} encoder to put a head on`, {
    hint: "Choose a bundle that has one.",
  });
}

/** Side of the maps that an encoder from nothing sees. */
export const mapSize = 112;

const depthMap = {
  kind: "depth",
  input: "input",
  as: "metres",
  baseline: 0.075,
  focal: 518.857901,
  clamp: [0.01, 10] as [number, number],
  invalid: 0,
  divide: 10,
  antialias: false,
  mean: 0,
  std: 1,
} as const;

/** Event time that stands for a window. */
export const middle = (cut: Cut): Micros =>
  cut.kind === "frames" ? (cut.frames.at(-1)?.time ?? cut.to) : micros((cut.from + cut.to) / 2);

/** The tensor of a window, one clip of it. */
export function firstClip(inputs: Inputs, recipe: Recipe): Tensor<Float32Array> {
  if (recipe.kind === "text") throw new Error("words have no clips");
  const { dims, data } = inputs[recipe.input] as Tensor<Float32Array>;
  const [rows, ...rest] = dims as [number, ...number[]];
  return { dims: [1, ...rest], data: data.slice(0, data.length / rows) };
}

/** A window as its encoder's input. Throws what is wrong with it. */
export async function sensedIn(cut: Cut, recipe: Recipe): Promise<Sensed> {
  const { inputs } = await preprocessor(recipe, decodeFrame)(cut);
  return { time: middle(cut), input: firstClip(inputs, recipe) };
}

/** Running mean and deviation of each channel over windows of a series. */
export class ChannelSums {
  readonly #recipe: SeriesRecipe;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  #n = 0;

  constructor(recipe: SeriesRecipe) {
    this.#recipe = recipe;
    this.#sums = new Float64Array(recipe.channels.length);
    this.#squares = new Float64Array(recipe.channels.length);
  }

  /** A window with NaN does not count. */
  add({ data }: Tensor<Float32Array>): void {
    if (data.some(Number.isNaN)) return;
    const { steps } = this.#recipe;
    this.#n += steps;
    for (const [i, value] of data.entries()) {
      const c = Math.floor(i / steps);
      this.#sums[c]! += value;
      this.#squares[c]! += value * value;
    }
  }

  /** The recipe that puts its channels at mean 0 and deviation 1. */
  get recipe(): SeriesRecipe & { readonly mean: number[]; readonly std: number[] } {
    const n = this.#n;
    const mean = Array.from(this.#sums, (sum) => (n > 0 ? sum / n : 0));
    const std = mean.map((m, c) => {
      const variance = n > 0 ? this.#squares[c]! / n - m * m : 0;
      return variance > 1e-12 ? Math.sqrt(variance) : 1;
    });
    return { ...this.#recipe, mean, std };
  }
}

/** Channels at mean 0 and deviation 1, measured over all windows without NaN, and the recipe that says so. */
export function standardized(
  windows: readonly Sensed[],
  recipe: SeriesRecipe,
): { windows: Sensed[]; recipe: SeriesRecipe } {
  const sums = new ChannelSums(recipe);
  for (const { input } of windows) sums.add(input);
  const { mean, std, ...rest } = sums.recipe;
  const scaled = windows.map(({ time, input }) => {
    const data = input.data.map((value, i) => {
      const c = Math.floor(i / recipe.steps);
      return (value - mean[c]!) / std[c]!;
    });
    return { time, input: { dims: input.dims, data } };
  });
  return { windows: scaled, recipe: { ...rest, mean, std } };
}
