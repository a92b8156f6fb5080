import type { Anchor, Sensed } from "../../align/pairs/pair.js";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import type { SensorReading } from "../../core/reading.js";
import type { Recipe, SeriesRecipe } from "../../core/recipe.js";
import type { Tensor } from "../../core/tensor.js";
import { type Duration, micros, s } from "../../core/time.js";
import type { Bundle } from "../../encoder/bundle.js";
import { decodeFrame } from "../../pipeline/perceive.js";
import type { Cut } from "../../window/cut.js";
import { type Inputs, preprocessor } from "../../window/preprocess.js";
import { slide } from "../../window/slide.js";

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
}

/** A sensor of samples that the bundle knows nothing of: windows of ten seconds unless the configuration says more. */
export const unknownWindow = { length: s(10), hop: s(1) };

/** Samples of a window at most: a faster sensor is resampled. */
const mostSteps = 512;

/** A recipe for named channels as they come; their mean and deviation are measured later. Throws `MODALITY_UNSUPPORTED` for pictures. */
export function recipeOf(first: SensorReading["reading"], { length }: { readonly length: Duration }): Recipe {
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

const middle = (cut: Cut) =>
  cut.kind === "frames" ? (cut.frames.at(-1)?.time ?? cut.to) : micros((cut.from + cut.to) / 2);

/** The tensor of a window, one clip of it. */
export function firstClip(inputs: Inputs, recipe: Recipe): Tensor<Float32Array> {
  if (recipe.kind === "text") throw new Error("words have no clips");
  const { dims, data } = inputs[recipe.input] as Tensor<Float32Array>;
  const [rows, ...rest] = dims as [number, ...number[]];
  return { dims: [1, ...rest], data: data.slice(0, data.length / rows) };
}

/** Every window of a sensor as its encoder's input; one that cannot be used is left out. */
export async function* sensedOf(
  readings: AsyncIterable<SensorReading>,
  recipe: Recipe,
  window: { readonly length: Duration; readonly hop: Duration },
): AsyncGenerator<Sensed> {
  const prepare = preprocessor(recipe, decodeFrame);
  for await (const cut of slide(readings, window)) {
    const { inputs } = await prepare(cut);
    yield { time: middle(cut), input: firstClip(inputs, recipe) };
  }
}

/** Where the camera's frames lie in the space. */
export async function* anchorsOf(
  readings: AsyncIterable<SensorReading>,
  bundle: Bundle,
  window: { readonly length: Duration; readonly hop: Duration },
  signal: AbortSignal,
): AsyncGenerator<Anchor> {
  const recipe = bundle.tower("vision").preprocess;
  const prepare = preprocessor(recipe, decodeFrame);
  for await (const cut of slide(readings, window)) {
    signal.throwIfAborted();
    const time = middle(cut);
    const { inputs } = await prepare(cut);
    const light = lightOf(inputs, recipe);
    const { vector } = await bundle.encode("vision", inputs, signal);
    yield { time, vector, ...(light !== undefined && { light }) };
  }
}

/** Mean luminance of a picture, 0 to 1, from the tensor that it became. */
function lightOf(inputs: Inputs, recipe: Recipe): number | undefined {
  if (recipe.kind !== "vision") return undefined;
  const average = (values: readonly number[] | Float32Array): number => {
    let sum = 0;
    for (const value of values) sum += value;
    return sum / values.length;
  };
  const { data } = inputs[recipe.input] as Tensor<Float32Array>;
  return average(data) * average(recipe.std) + average(recipe.mean);
}

/** Channels at mean 0 and deviation 1, measured over all windows without NaN, and the recipe that says so. */
export function standardized(
  windows: readonly Sensed[],
  recipe: SeriesRecipe,
): { windows: Sensed[]; recipe: SeriesRecipe } {
  const count = recipe.channels.length;
  const [sums, squares] = [new Float64Array(count), new Float64Array(count)];
  let n = 0;
  for (const { input } of windows) {
    if (input.data.some(Number.isNaN)) continue;
    n += recipe.steps;
    for (const [i, value] of input.data.entries()) {
      const c = Math.floor(i / recipe.steps);
      sums[c]! += value;
      squares[c]! += value * value;
    }
  }
  const mean = Array.from(sums, (sum) => (n > 0 ? sum / n : 0));
  const std = mean.map((m, c) => {
    const variance = n > 0 ? squares[c]! / n - m * m : 0;
    return variance > 1e-12 ? Math.sqrt(variance) : 1;
  });
  const scaled = windows.map(({ time, input }) => {
    const data = input.data.map((value, i) => {
      const c = Math.floor(i / recipe.steps);
      return (value - mean[c]!) / std[c]!;
    });
    return { time, input: { dims: input.dims, data } };
  });
  return { windows: scaled, recipe: { ...recipe, mean, std } };
}
