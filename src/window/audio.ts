import { SenseError } from "../core/errors.js";
import type { Block } from "../core/reading.js";
import type { FbankRecipe, WaveformRecipe } from "../core/recipe.js";
import { type Tensor, tensor } from "../core/tensor.js";
import { clipTimes } from "./clip-times.js";
import { fbank } from "./fbank.js";
import { times, trunc } from "./rational.js";
import { resampleSinc } from "./resample.js";
import { fillWindow, windowStarts } from "./windows.js";

/** Each channel of a block in an array of its own, at `to` samples a second. */
export function planes({ channels, rate, data }: Block, to: number): Float32Array[] {
  const width = channels.length;
  if (width === 1) return [resampleSinc(data, { from: rate, to })];
  const steps = data.length / width;
  return channels.map((_, c) => {
    const plane = new Float32Array(steps);
    for (let t = 0; t < steps; t++) plane[t] = data[t * width + c]!;
    return resampleSinc(plane, { from: rate, to });
  });
}

/**
 * ImageBind's clips of a sound as `[clips, 1, bins, frames]` (PARITY A4). The original takes the mean of all channels off each
 * clip in place, so that a clip that overlaps the one before sees samples already shifted. Throws `BAD_AUDIO`.
 */
export function fbankClips(sound: readonly Float32Array[], recipe: FbankRecipe): Tensor<Float32Array> {
  const { rate, bins, frames, mean, std, clips } = recipe;
  const samples = sound[0]?.length ?? 0;
  const ranges = clipTimes(samples / rate, clips).map(({ start, end }) => ({
    from: trunc(times(start, BigInt(rate))),
    to: Math.min(trunc(times(end, BigInt(rate))), samples),
  }));
  const overlap = ranges.some(({ from }, k) => k > 0 && from < ranges[k - 1]!.to);
  const shifted = overlap ? sound.map((plane) => plane.slice()) : sound;
  const out = new Float32Array(clips.count * bins * frames);
  for (const [k, { from, to }] of ranges.entries()) {
    const clip = shifted.map((plane) => plane.subarray(from, to));
    let offset = meanOf(clip);
    if (overlap) {
      for (const plane of clip) for (let i = 0; i < plane.length; i++) plane[i]! -= offset;
      offset = 0;
    }
    // Padding is an energy of 0, which is normalised as well.
    const { data } = fbank(clip[0]!, { rate, bins, offset, mean, std, columns: frames });
    out.set(data, k * bins * frames);
  }
  return tensor([clips.count, 1, bins, frames], out);
}

/** The mean of every sample of every channel, rounded to float32 as torch's is. */
function meanOf(clip: readonly Float32Array[]): number {
  const count = clip.length * (clip[0]?.length ?? 0);
  const mean = Math.fround(clip.reduce((total, plane) => total + sum(plane), 0) / count);
  if (count > 0 && !Number.isFinite(mean)) {
    throw new SenseError("BAD_AUDIO", "the sound has samples that are no numbers", {
      hint: "Write the file again as 16-bit PCM.",
    });
  }
  return mean;
}

/** Four sums at once: one would wait for its own additions. */
function sum(values: Float32Array): number {
  const whole = values.length - (values.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += values[i]!;
    b += values[i + 1]!;
    c += values[i + 2]!;
    d += values[i + 3]!;
  }
  for (let i = whole; i < values.length; i++) a += values[i]!;
  return a + b + (c + d);
}

/** Seconds that one frame of a filterbank needs (PARITY A4): of less than that nothing can be said. */
const shortest = 0.025;

/** Windows of a mono mix, one every `hop` seconds, as `[windows, samples]`; less than a window is padded or repeated. Throws `BAD_AUDIO`. */
export function waveformWindows(
  sound: readonly Float32Array[],
  recipe: WaveformRecipe,
  hop?: number,
): Tensor<Float32Array> {
  const { samples, short, rate } = recipe;
  const mono = mix(sound);
  if (mono.length < shortest * rate) {
    const milliseconds = ((1e3 * mono.length) / rate).toFixed(1);
    throw new SenseError(
      "BAD_AUDIO",
      `a sound of ${milliseconds} ms is too short: an encoder needs ${1e3 * shortest} ms`,
      {
        hint: "Give a longer recording.",
      },
    );
  }
  const starts = windowStarts(mono.length, { length: samples, hop: hop === undefined ? samples : hop * rate });
  const out = new Float32Array(starts.length * samples);
  for (const [w, start] of starts.entries())
    fillWindow(out.subarray(w * samples, (w + 1) * samples), mono, { start, short });
  return tensor([starts.length, samples], out);
}

function mix(sound: readonly Float32Array[]): Float32Array {
  if (sound.length === 1) return sound[0]!;
  const mono = new Float32Array(sound[0]?.length ?? 0);
  for (const plane of sound) for (let i = 0; i < mono.length; i++) mono[i]! += plane[i]! / sound.length;
  return mono;
}
