import type { Fit } from "./fit.js";
import { type Axis, antialiasedTaps, type Filter } from "./taps.js";

/** Bits after the point of Pillow's integer weights: 32 - 8 for the pixel - 2 for overshoot (Resample.c). */
const PRECISION = 22;

/** Tables of this many axes are kept; a camera has two. */
const CACHED = 16;

/** 8-bit pixels, row-major and interleaved. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

interface IntegerTaps {
  readonly outputs: number;
  readonly stride: number;
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
}

/**
 * Resizes and crops as Pillow's `Image.resize` then `crop` do, bit for bit: integer weights, and 8 bits between the passes
 * (PARITY A1). Only the rows and columns of the crop are computed. The result is `fit.height x fit.width x channels`.
 */
export function resize(pixels: Pixels, fit: Fit, filter: Filter): Uint8Array {
  const { width, height, channels, data } = pixels;
  const across = { input: width, output: fit.fullWidth, from: fit.left, count: fit.width };
  const down = { input: height, output: fit.fullHeight, from: fit.top, count: fit.height };
  const vertical = fit.fullHeight === height ? undefined : integerTaps(down, filter);
  const first = vertical ? vertical.first[0]! : fit.top;
  const last = vertical ? vertical.first.at(-1)! + vertical.count.at(-1)! : fit.top + fit.height;
  const rows = { width, channels, first, count: last - first };
  const middle =
    fit.fullWidth === width ? cropColumns(data, rows, fit) : shrinkRows(data, rows, integerTaps(across, filter));
  return vertical ? shrinkColumns(middle, fit.width * channels, vertical, first) : middle;
}

interface Rows {
  readonly width: number;
  readonly channels: number;
  readonly first: number;
  readonly count: number;
}

const cache = new Map<string, IntegerTaps>();

function integerTaps(axis: Axis, filter: Filter): IntegerTaps {
  const key = `${filter} ${axis.input} ${axis.output} ${axis.from} ${axis.count}`;
  const known = cache.get(key);
  if (known) return known;
  const taps = antialiasedTaps(axis, filter);
  const weights = Int32Array.from(taps.weights, (weight) =>
    Math.trunc(weight * 2 ** PRECISION + (weight < 0 ? -0.5 : 0.5)),
  );
  const made = { ...taps, weights };
  if (cache.size >= CACHED) cache.delete(cache.keys().next().value!);
  cache.set(key, made);
  return made;
}

function cropColumns(
  data: Uint8Array,
  { width, channels, first, count }: Rows,
  { left, width: wanted }: Fit,
): Uint8Array {
  if (left === 0 && wanted === width)
    return data.subarray(first * width * channels, (first + count) * width * channels);
  const out = new Uint8Array(count * wanted * channels);
  for (let y = 0; y < count; y++) {
    const from = ((first + y) * width + left) * channels;
    out.set(data.subarray(from, from + wanted * channels), y * wanted * channels);
  }
  return out;
}

/** Horizontal pass over the rows that are needed. Hot: allocates nothing per pixel. */
function shrinkRows(data: Uint8Array, rows: Rows, taps: IntegerTaps): Uint8Array {
  const out = new Uint8Array(rows.count * taps.outputs * rows.channels);
  if (rows.channels === 3) shrinkRows3(data, rows, taps, out);
  else shrinkRows1(data, rows, taps, out);
  return out;
}

function shrinkRows3(
  data: Uint8Array,
  rows: Rows,
  { outputs, stride, first, count, weights }: IntegerTaps,
  out: Uint8Array,
): void {
  let o = 0;
  for (let y = rows.first; y < rows.first + rows.count; y++) {
    const row = y * rows.width;
    for (let x = 0; x < outputs; x++) {
      let r = 1 << (PRECISION - 1);
      let g = r;
      let b = r;
      let i = (row + first[x]!) * 3;
      const end = x * stride + count[x]!;
      for (let k = x * stride; k < end; k++, i += 3) {
        const weight = weights[k]!;
        r += Math.imul(weight, data[i]!);
        g += Math.imul(weight, data[i + 1]!);
        b += Math.imul(weight, data[i + 2]!);
      }
      out[o] = clip(r >> PRECISION);
      out[o + 1] = clip(g >> PRECISION);
      out[o + 2] = clip(b >> PRECISION);
      o += 3;
    }
  }
}

function shrinkRows1(
  data: Uint8Array,
  rows: Rows,
  { outputs, stride, first, count, weights }: IntegerTaps,
  out: Uint8Array,
): void {
  let o = 0;
  for (let y = rows.first; y < rows.first + rows.count; y++) {
    for (let x = 0; x < outputs; x++) {
      let sum = 1 << (PRECISION - 1);
      let i = y * rows.width + first[x]!;
      const end = x * stride + count[x]!;
      for (let k = x * stride; k < end; k++) sum += Math.imul(weights[k]!, data[i++]!);
      out[o++] = clip(sum >> PRECISION);
    }
  }
}

/** Vertical pass: rows of `rowLength` values, the first of them being row `base` of the picture. Hot. */
function shrinkColumns(data: Uint8Array, rowLength: number, taps: IntegerTaps, base: number): Uint8Array {
  const { outputs, stride, first, count, weights } = taps;
  const out = new Uint8Array(outputs * rowLength);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < outputs; y++) {
    sums.fill(1 << (PRECISION - 1));
    for (let k = 0; k < count[y]!; k++) {
      const weight = weights[y * stride + k]!;
      let i = (first[y]! - base + k) * rowLength;
      for (let x = 0; x < rowLength; x++) sums[x]! += Math.imul(weight, data[i++]!);
    }
    const row = y * rowLength;
    for (let x = 0; x < rowLength; x++) out[row + x] = clip(sums[x]! >> PRECISION);
  }
  return out;
}

const clip = (value: number): number => (value < 0 ? 0 : Math.min(value, 255));
