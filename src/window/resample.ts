import { Arena, kernels } from "./arena.js";

/** Zero crossings of the sinc on each side, and the share of the band that is kept: torchaudio's defaults (PARITY A4). */
const CROSSINGS = 6;
const ROLLOFF = 0.99;

/** Filter banks kept: a microphone has one rate, files a few. */
const CACHED = 8;

/** Outputs of one call of the kernel. */
const CHUNK = 2 ** 18;

/** A polyphase filter: inputs of a period become `phases` outputs. */
interface Bank {
  readonly period: number;
  readonly phases: number;
  /** Weights of a phase, a multiple of 4. */
  readonly taps: number;
  /** No phase reads an input further than this before its period begins. */
  readonly before: number;
  /** As the kernel reads it (kernels/window.ts, polyphase). */
  readonly table: Uint8Array;
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
  const out = new Float32Array(Math.ceil((bank.phases * input.length) / bank.period));
  const periods = Math.max(1, Math.floor(CHUNK / bank.phases));
  for (let n = 0, start = 0; n < out.length; n += periods * bank.phases, start += periods * bank.period) {
    const count = Math.min(periods * bank.phases, out.length - n);
    out.set(resampleChunk(input, bank, { start, count }), n);
  }
  return out;
}

interface Chunk {
  /** The input at which the chunk's first period begins. */
  readonly start: number;
  readonly count: number;
}

function resampleChunk(input: Float32Array, bank: Bank, { start, count }: Chunk): Float32Array {
  const { period, phases, taps, before, table } = bank;
  const arena = new Arena();
  const filter = arena.put(table);
  const needed = before + Math.ceil(count / phases) * period + taps;
  const samples = arena.take(4 * needed);
  arena.zero(samples, 4 * needed);
  const first = Math.max(0, start - before);
  const last = Math.min(input.length, start - before + needed);
  arena.write(samples + 4 * (first - (start - before)), input.subarray(first, last));
  const out = arena.take(4 * count);
  kernels.polyphase(samples + 4 * before, filter, taps, phases, period, count, out);
  return arena.floats(out, count);
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
  const taps = Math.ceil((2 * half + 1) / 4) * 4;
  const table = new DataView(new ArrayBuffer(phases * (8 + 8 * taps)));
  for (let p = 0; p < phases; p++) {
    const at = p * (8 + 8 * taps);
    const first = Math.ceil((p * period) / phases - half);
    table.setInt32(at, first, true);
    for (let k = 0; k < taps; k++) {
      const t = (-p / phases + (first + k) / period) * base;
      const weight = Math.abs(t) < CROSSINGS ? (hannSinc(t, CROSSINGS) * base) / period : 0;
      table.setFloat64(at + 8 + 8 * k, weight, true);
    }
  }
  return { period, phases, taps, before: Math.ceil(half), table: new Uint8Array(table.buffer) };
}

/** sinc(t) under a cos² window that is zero from `crossings` on. */
export function hannSinc(t: number, crossings: number): number {
  const window = Math.cos((Math.PI * t) / crossings / 2) ** 2;
  return t === 0 ? 1 : (window * Math.sin(Math.PI * t)) / (Math.PI * t);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
