import { gaussian } from "../../src/core/random.js";

/** Another take of a sound: partly cut, through another microphone, in noise. Its level changes with them. */
export function disturb(sound: Float32Array, random: () => number): Float32Array {
  const cut = random() < 0.3 ? partly(sound, random) : sound;
  const coloured = random() < 0.5 ? tilted(cut, 0.9 * (2 * random() - 1)) : cut;
  return noisy(random() < 0.25 ? lowPassed(coloured, 3000 + 5000 * random()) : coloured, random);
}

/** Only its first 40 to 100 %, somewhere in silence. */
function partly(sound: Float32Array, random: () => number): Float32Array {
  const length = Math.floor(sound.length * (0.4 + 0.6 * random()));
  const out = new Float32Array(sound.length);
  out.set(sound.subarray(0, length), Math.floor(random() * (sound.length - length + 1)));
  return out;
}

/** First-order emphasis of the treble (positive) or the bass. */
function tilted(sound: Float32Array, amount: number): Float32Array {
  let before = 0;
  return sound.map((x) => {
    const y = x - amount * before;
    before = x;
    return y;
  });
}

/** A sharp cut of the band, as a narrow-band codec makes it: windowed sinc of 101 taps. */
function lowPassed(sound: Float32Array, cutoff: number): Float32Array {
  const half = 50;
  const taps = Float32Array.from({ length: 2 * half + 1 }, (_, i) => {
    const n = i - half;
    const sinc = n === 0 ? cutoff / 8000 : Math.sin((Math.PI * n * cutoff) / 8000) / (Math.PI * n);
    return sinc * (0.54 + 0.46 * Math.cos((Math.PI * n) / half));
  });
  return sound.map((_, t) => {
    let sum = 0;
    for (let i = Math.max(0, t - half); i <= Math.min(sound.length - 1, t + half); i++)
      sum += sound[i]! * taps[i - t + half]!;
    return sum;
  });
}

/** White to brown noise, 8 to 40 dB below the peak. */
function noisy(sound: Float32Array, random: () => number): Float32Array {
  const peak = sound.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const keep = random() ** 0.3 * 0.98;
  const level = 0.3 * peak * 10 ** (-(8 + 32 * random()) / 20) * Math.sqrt(1 - keep * keep);
  let state = 0;
  return sound.map((x) => {
    state = keep * state + gaussian(random);
    return x + level * state;
  });
}
