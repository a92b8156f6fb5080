import { SenseError } from "../core/errors.js";
import { Arena, kernels } from "./arena.js";
import { fftTables } from "./fft-tables.js";
import { melTable } from "./mel.js";

/** Samples of a frame and between frames, in seconds: Kaldi's 25 ms and 10 ms. */
const FRAME_S = 0.025;
const SHIFT_S = 0.01;

export interface FbankOptions {
  readonly rate: number;
  readonly bins: number;
  /** Taken off every sample, in float32. */
  readonly offset?: number;
  /** Taken off each energy, before it is divided by `std`. */
  readonly mean?: number;
  readonly std?: number;
  /** Frames of each bin in the result: more are cut off, what is missing is as an energy of 0. Unless given, as many as there are. */
  readonly columns?: number;
}

/** Log-mel energies, natural log. */
export interface Fbank {
  readonly frames: number;
  /** `bins x columns`: a bin's frames are consecutive. */
  readonly data: Float32Array;
}

/**
 * Kaldi's filterbank of one channel with ImageBind's settings: whole frames of 25 ms every 10 ms, mean removed, pre-emphasis 0.97,
 * symmetric Hann window, no dither, energies of at least 2^-23, natural log (PARITY A4), as (energy - mean) / std. In double
 * precision up to the log, which is as exact as float32. Throws `BAD_AUDIO` for less than a frame.
 */
export function fbank(samples: Float32Array, options: FbankOptions): Fbank {
  const { rate, bins, offset = 0, mean = 0, std = 1, columns } = options;
  const tables = tablesOf(rate, bins);
  const { length, shift } = tables;
  if (samples.length < length) {
    throw new SenseError("BAD_AUDIO", `${samples.length} samples at ${rate} Hz are less than a frame of ${length}`, {
      hint: "Give at least 25 ms of sound.",
    });
  }
  const whole = 1 + Math.floor((samples.length - length) / shift);
  const width = columns ?? whole;
  const frames = Math.min(whole, width);
  const arena = new Arena();
  const plan = placePlan(arena, tables);
  const out = arena.put(new Float32Array(width * bins).fill(-mean / std));
  kernels.fbank(plan, arena.put(samples), frames, offset, mean, 1 / std, out, 4 * width);
  return { frames, data: arena.floats(out, width * bins) };
}

interface Tables {
  readonly length: number;
  readonly shift: number;
  /** Complex points of the transform: half its real length. */
  readonly points: number;
  readonly rows: number;
  readonly window: Float64Array;
  readonly twiddles: Float64Array;
  readonly places: Int32Array;
  readonly turns: Float64Array;
  readonly mel: Uint8Array;
}

const known = new Map<string, Tables>();

function tablesOf(rate: number, rows: number): Tables {
  const key = `${rate} ${rows}`;
  const made = known.get(key) ?? makeTables(rate, rows);
  known.set(key, made);
  return made;
}

function makeTables(rate: number, rows: number): Tables {
  const length = Math.round(rate * FRAME_S);
  const points = 2 ** Math.ceil(Math.log2(length)) / 2;
  return {
    length,
    shift: Math.round(rate * SHIFT_S),
    points,
    rows,
    window: hann(length),
    ...fftTables(points),
    mel: melTable({ rate, rows, bins: points }),
  };
}

/** The kernel's plan: sizes, then addresses of the tables and of its working memory (kernels/window.ts, fbank). */
function placePlan(
  arena: Arena,
  { length, shift, points, rows, window, twiddles, places, turns, mel }: Tables,
): number {
  const addresses = [window, twiddles, places, turns, mel].map((table) => arena.put(table));
  const work = arena.take(32 * points);
  const power = arena.take(16 * points);
  return arena.put(Int32Array.of(length, shift, points, rows, ...addresses, work, power));
}

/** Symmetric Hann window: the last point is zero, like the first. */
export const hann = (length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (length - 1)));
