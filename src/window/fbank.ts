import FFT from "fft.js";
import { SenseError } from "../core/errors.js";
import { type MelBank, melBank } from "./mel.js";

/** Samples of a frame and between frames, in seconds: Kaldi's 25 ms and 10 ms. */
const FRAME_S = 0.025;
const SHIFT_S = 0.01;
const PREEMPHASIS = 0.97;
/** Energies below float32's epsilon count as that: the log stays above -15.942385. */
const FLOOR = 2 ** -23;

export interface FbankOptions {
  readonly rate: number;
  readonly bins: number;
}

/** Log-mel energies, `frames x bins`, natural log. */
export interface Fbank {
  readonly frames: number;
  readonly data: Float32Array;
}

/**
 * Kaldi's filterbank of one channel with ImageBind's settings: whole frames of 25 ms every 10 ms, mean removed, pre-emphasis,
 * symmetric Hann window, no dither, natural log (PARITY A4). Throws `BAD_AUDIO` for less than a frame.
 */
export function fbank(samples: Float32Array, options: FbankOptions): Fbank {
  const plan = planOf(options);
  const frames = 1 + Math.floor((samples.length - plan.length) / plan.shift);
  if (samples.length < plan.length) {
    throw new SenseError(
      "BAD_AUDIO",
      `${samples.length} samples at ${options.rate} Hz are less than a frame of ${plan.length}`,
      {
        hint: "Give at least 25 ms of sound.",
      },
    );
  }
  const data = new Float32Array(frames * options.bins);
  for (let f = 0; f < frames; f++) {
    powerSpectrum(samples, f * plan.shift, plan);
    logMel(plan, data, f * options.bins);
  }
  return { frames, data };
}

interface Plan {
  readonly length: number;
  readonly shift: number;
  readonly window: Float64Array;
  readonly fft: FFT;
  readonly frame: Float64Array;
  readonly spectrum: Float64Array;
  readonly power: Float64Array;
  readonly mel: MelBank;
}

const plans = new Map<string, Plan>();

function planOf({ rate, bins }: FbankOptions): Plan {
  const key = `${rate} ${bins}`;
  const known = plans.get(key);
  if (known) return known;
  const length = Math.round(rate * FRAME_S);
  const size = 2 ** Math.ceil(Math.log2(length));
  const made = {
    length,
    shift: Math.round(rate * SHIFT_S),
    window: hann(length),
    fft: new FFT(size),
    frame: new Float64Array(size),
    spectrum: new Float64Array(2 * size),
    power: new Float64Array(size / 2),
    mel: melBank({ rate, rows: bins, bins: size / 2 }),
  };
  plans.set(key, made);
  return made;
}

/** Symmetric Hann window: the last point is zero, like the first. */
export const hann = (length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (length - 1)));

/** Power of one frame below Nyquist, into the plan. Hot. */
function powerSpectrum(
  samples: Float32Array,
  from: number,
  { length, window, fft, frame, spectrum, power }: Plan,
): void {
  let mean = 0;
  for (let i = 0; i < length; i++) mean += samples[from + i]!;
  mean /= length;
  let before = samples[from]! - mean;
  for (let i = 0; i < length; i++) {
    const sample = samples[from + i]! - mean;
    frame[i] = (sample - PREEMPHASIS * before) * window[i]!;
    before = sample;
  }
  fft.realTransform(spectrum, frame);
  for (let j = 0; j < power.length; j++) power[j] = spectrum[2 * j]! ** 2 + spectrum[2 * j + 1]! ** 2;
}

/** The plan's power to log-mel energies in `out` from `at` on. Hot. */
function logMel({ power, mel: { first, count, weights } }: Plan, out: Float32Array, at: number): void {
  let k = 0;
  for (let r = 0; r < first.length; r++) {
    let energy = 0;
    const end = first[r]! + count[r]!;
    for (let j = first[r]!; j < end; j++) energy += weights[k++]! * power[j]!;
    out[at + r] = Math.log(Math.max(energy, FLOOR));
  }
}
