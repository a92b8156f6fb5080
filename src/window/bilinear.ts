import type { Taps } from "./taps.js";

/** One channel of a picture: value (x, y) is `data[(y * width + x) * step + offset]`. */
export interface Channel {
  readonly data: Uint8Array | Float32Array;
  readonly width: number;
  readonly step: number;
  readonly offset: number;
}

/** Resamples one channel in floating point along both axes into `out`, row by row. Allocates one row set, nothing per pixel. */
export function sampleFloat(
  { data, width, step, offset }: Channel,
  { across, down }: { readonly across: Taps; readonly down: Taps },
  out: Float32Array,
): void {
  const base = down.first[0]!;
  const rows = down.first.at(-1)! + down.count.at(-1)! - base;
  const middle = new Float64Array(rows * across.outputs);
  for (let y = 0; y < rows; y++) {
    const row = (base + y) * width;
    for (let x = 0; x < across.outputs; x++) {
      let sum = 0;
      let i = (row + across.first[x]!) * step + offset;
      const end = x * across.stride + across.count[x]!;
      for (let k = x * across.stride; k < end; k++, i += step) sum += across.weights[k]! * data[i]!;
      middle[y * across.outputs + x] = sum;
    }
  }
  for (let y = 0; y < down.outputs; y++) {
    for (let x = 0; x < across.outputs; x++) {
      let sum = 0;
      let i = (down.first[y]! - base) * across.outputs + x;
      const end = y * down.stride + down.count[y]!;
      for (let k = y * down.stride; k < end; k++, i += across.outputs) sum += down.weights[k]! * middle[i]!;
      out[y * across.outputs + x] = sum;
    }
  }
}
