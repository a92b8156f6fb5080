/** Zero crossings of the sinc on each side, and the share of the band that is kept: torchaudio's defaults (PARITY A4). */
const CROSSINGS = 6;
const ROLLOFF = 0.99;

/** Filter banks kept: a microphone has one rate, files a few. */
const CACHED = 8;

/** One row of weights for each phase of the output; row p starts at input `first[p]` relative to its period. */
interface Bank {
  readonly period: number;
  readonly phases: number;
  readonly taps: number;
  readonly first: Int32Array;
  readonly weights: Float64Array;
}

/**
 * Resamples one channel as torchaudio.functional.resample with its defaults: windowed sinc of 6 zero crossings, rolloff 0.99,
 * Hann window; `ceil(to * n / from)` samples. Rates are whole numbers, as there. The same array where the rates are equal.
 */
export function resampleSinc(
  input: Float32Array,
  { from, to }: { readonly from: number; readonly to: number },
): Float32Array {
  const [orig, next] = [Math.round(from), Math.round(to)];
  if (orig === next) return input;
  const bank = bankOf(orig, next);
  const { period, phases, taps, first, weights } = bank;
  const out = new Float32Array(Math.ceil((phases * input.length) / period));
  for (let n = 0, base = 0; n < out.length; base += period) {
    for (let p = 0; p < phases && n < out.length; p++, n++) {
      const start = base + first[p]!;
      const end = Math.min(taps, input.length - start);
      let sum = 0;
      for (let k = Math.max(0, -start); k < end; k++) sum += weights[p * taps + k]! * input[start + k]!;
      out[n] = sum;
    }
  }
  return out;
}

const cache = new Map<string, Bank>();

function bankOf(orig: number, next: number): Bank {
  const key = `${orig} ${next}`;
  const known = cache.get(key);
  if (known) return known;
  const made = makeBank(orig, next);
  if (cache.size >= CACHED) cache.delete(cache.keys().next().value!);
  cache.set(key, made);
  return made;
}

/** Only the taps inside the window are stored: torchaudio's rows are as long as the period, nearly all of them zeros. */
function makeBank(orig: number, next: number): Bank {
  const divisor = gcd(orig, next);
  const period = orig / divisor;
  const phases = next / divisor;
  const base = ROLLOFF * Math.min(period, phases);
  const half = (CROSSINGS * period) / base;
  const taps = Math.ceil(2 * half) + 1;
  const first = new Int32Array(phases);
  const weights = new Float64Array(phases * taps);
  for (let p = 0; p < phases; p++) {
    first[p] = Math.ceil((p * period) / phases - half);
    for (let k = 0; k < taps; k++) {
      const t = (-p / phases + (first[p]! + k) / period) * base;
      if (Math.abs(t) < CROSSINGS) weights[p * taps + k] = (hannSinc(t, CROSSINGS) * base) / period;
    }
  }
  return { period, phases, taps, first, weights };
}

/** sinc(t) under a cos² window that is zero from `crossings` on. */
export function hannSinc(t: number, crossings: number): number {
  const window = Math.cos((Math.PI * t) / crossings / 2) ** 2;
  return t === 0 ? 1 : (window * Math.sin(Math.PI * t)) / (Math.PI * t);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
