import type { Hertz } from "../../core/time.js";

/** Decoded sound: interleaved samples in [-1, 1), `data[t * channels + c]`. */
export interface Sound {
  readonly rate: Hertz;
  readonly channels: number;
  readonly data: Float32Array;
}

/** Interleaves one array a channel. */
export function interleave(planes: readonly Float32Array[]): Float32Array {
  const channels = planes.length;
  const length = planes[0]?.length ?? 0;
  const data = new Float32Array(length * channels);
  for (const [c, plane] of planes.entries()) for (let t = 0; t < length; t++) data[t * channels + c] = plane[t]!;
  return data;
}

/** One block after the other. */
export function joined(blocks: readonly Float32Array[]): Float32Array {
  const data = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    data.set(block, at);
    at += block.length;
  }
  return data;
}
