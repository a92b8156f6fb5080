import { Arena, kernels } from "./arena.js";
import type { Fit } from "./fit.js";
import { type IntegerTaps, integerTaps } from "./integer-taps.js";
import type { Filter } from "./taps.js";

/** Bytes of a picture that are in the kernels' memory at once. */
const STRIP = 4 * 2 ** 20;

/** 8-bit pixels, row-major and interleaved. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/**
 * Resizes and crops as Pillow's `Image.resize` then `crop` do, bit for bit: integer weights, and 8 bits between the passes
 * (PARITY A1). Only the rows and columns of the crop are computed. The result is `fit.height x fit.width x channels`.
 */
export function resize(pixels: Pixels, fit: Fit, filter: Filter): Uint8Array {
  const { width, height, channels } = pixels;
  const across = { input: width, output: fit.fullWidth, from: fit.left, count: fit.width };
  const down = { input: height, output: fit.fullHeight, from: fit.top, count: fit.height };
  const horizontal =
    fit.fullWidth === width ? undefined : integerTaps(across, filter, channels === 3 ? "rows3" : "rows1");
  const vertical = fit.fullHeight === height ? undefined : integerTaps(down, filter, "columns");
  const rows = vertical ?? { from: fit.top, to: fit.top + fit.height };
  const length = fit.width * channels;
  const arena = new Arena();
  // A row more, because the last pair of an odd number of taps reads one.
  const middle = arena.take((rows.to - rows.from + 1) * length);
  if (horizontal) shrinkRows(arena, pixels, { ...rows, taps: horizontal, out: middle });
  else cropRows(arena, pixels, { ...rows, fit, out: middle });
  if (!vertical) return arena.bytes(middle, fit.height * length);
  const taps = arena.put(vertical.table);
  const out = arena.take(fit.height * length);
  kernels.columns(middle, length, taps, vertical.outputs, vertical.groups, out);
  return arena.bytes(out, fit.height * length);
}

interface Rows {
  readonly from: number;
  readonly to: number;
  readonly out: number;
}

/** Horizontal pass over the rows that are needed, strip by strip. */
function shrinkRows(
  arena: Arena,
  pixels: Pixels,
  { from, to, taps, out }: Rows & { readonly taps: IntegerTaps },
): void {
  const { width, channels, data } = pixels;
  const stride = width * channels;
  const count = Math.max(1, Math.min(to - from, Math.floor(STRIP / stride)));
  const table = arena.put(taps.table);
  const strip = arena.take(count * stride);
  const kernel = channels === 3 ? kernels.rows3 : kernels.rows1;
  for (let y = from; y < to; y += count) {
    const rows = Math.min(count, to - y);
    arena.write(strip, data.subarray(y * stride, (y + rows) * stride));
    kernel(strip, stride, rows, table, taps.outputs, taps.groups, out + (y - from) * taps.outputs * channels);
  }
}

function cropRows(arena: Arena, pixels: Pixels, { from, to, fit, out }: Rows & { readonly fit: Fit }): void {
  const { width, channels, data } = pixels;
  const length = fit.width * channels;
  for (let y = from; y < to; y++) {
    const at = (y * width + fit.left) * channels;
    arena.write(out + (y - from) * length, data.subarray(at, at + length));
  }
}
