import { SenseError } from "../core/errors.js";
import type { Block } from "../core/reading.js";
import type { SeriesRecipe } from "../core/recipe.js";
import { type Tensor, tensor } from "../core/tensor.js";
import { hannSinc } from "./resample.js";
import { fillWindow, windowStarts } from "./windows.js";

/** Zero crossings of the sinc on each side: a transition band of a sixth of the kept band. */
const CROSSINGS = 6;

export interface SeriesRates {
  readonly from: number;
  readonly to: number;
  /** Samples hoped for: given where it differs from what comes out by no more than one sample of the input. */
  readonly expected?: number;
}

/**
 * One channel at another rate, `Math.round(n * to / from)` samples, sample i being at time i / to. Windowed sinc; on lowering
 * the rate the band is cut to the new Nyquist, so that nothing folds. The weights of every output are scaled to sum 1: a
 * constant (gravity) stays what it is, up to the ends. Any rates, whole or not.
 */
export function resampleSeries(input: Float32Array, { from, to, expected }: SeriesRates): Float32Array {
  if (from === to) return input;
  const natural = Math.max(1, Math.round((input.length * to) / from));
  const rounding = expected !== undefined && Math.abs(natural - expected) <= Math.ceil(to / from);
  const out = new Float32Array(rounding ? expected : natural);
  const band = Math.min(1, to / from);
  const reach = CROSSINGS / band;
  for (let n = 0; n < out.length; n++) {
    const centre = (n * from) / to;
    const first = Math.max(0, Math.ceil(centre - reach));
    const last = Math.min(input.length - 1, Math.floor(centre + reach));
    let sum = 0;
    let total = 0;
    for (let i = first; i <= last; i++) {
      const weight = hannSinc((i - centre) * band, CROSSINGS);
      sum += weight * input[i]!;
      total += weight;
    }
    out[n] = sum / total;
  }
  return out;
}

/**
 * The recipe's channels, by name, at its rate, in windows one every `hop` seconds `[windows, channels, steps]`; less than a window is
 * padded with zeros or repeated, before normalisation. Throws `MODEL_MISMATCH` where the sensor lacks a channel.
 */
export function seriesWindows(block: Block, recipe: SeriesRecipe, hop?: number): Tensor<Float32Array> {
  const { rate, steps, channels, mean, std, short } = recipe;
  const width = block.channels.length;
  if (block.data.length < width) {
    throw new SenseError("BAD_ARGUMENT", "a series without samples cannot be encoded", {
      hint: "Give a file or a window with at least one row of values.",
    });
  }
  const broken = block.data.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    throw new SenseError(
      "BAD_ARGUMENT",
      `the series has a value that is no number in row ${Math.floor(broken / width)}`,
      {
        hint: "Leave such rows out, or fill them from their neighbours.",
      },
    );
  }
  const rows = columnsOf(block, channels).map((column) => {
    const plane = Float32Array.from({ length: block.data.length / width }, (_, t) => block.data[t * width + column]!);
    return resampleSeries(plane, { from: block.rate, to: rate, expected: steps });
  });
  const starts = windowStarts(rows[0]!.length, { length: steps, hop: hop === undefined ? steps : hop * rate });
  const out = new Float32Array(starts.length * channels.length * steps);
  for (const [w, start] of starts.entries()) {
    for (const [c, row] of rows.entries()) {
      const at = (w * channels.length + c) * steps;
      const to = out.subarray(at, at + steps);
      fillWindow(to, row, { start, short });
      const [m, s] = [mean?.[c % mean.length] ?? 0, std?.[c % std.length] ?? 1];
      for (let t = 0; t < steps; t++) to[t] = (to[t]! - m) / s;
    }
  }
  return tensor([starts.length, channels.length, steps], out);
}

function columnsOf(block: Block, wanted: readonly string[]): number[] {
  return wanted.map((name) => {
    const column = block.channels.indexOf(name);
    if (column >= 0) return column;
    throw new SenseError(
      "MODEL_MISMATCH",
      `the encoder expects the channel ${name}, the sensor gives ${block.channels.join(" ")}`,
      {
        hint: `Name the sensor's channels ${wanted.join(" ")}, in any order.`,
      },
    );
  });
}
