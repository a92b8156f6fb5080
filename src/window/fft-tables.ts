/** Tables of a real transform of `2 * points` samples, done as a complex one of half the length. */
export interface FftTables {
  /** For each pass of radix 4, cos and sin of the three turns of every butterfly. */
  readonly twiddles: Float64Array;
  /** Byte offset at which output k of the complex transform stands, in pairs of two float64. */
  readonly places: Int32Array;
  /** cos and sin of -2 pi k / (2 points), for k up to points / 2. */
  readonly turns: Float64Array;
}

/** The tables for a power of two of complex points (kernels/window.ts). */
export function fftTables(points: number): FftTables {
  const twiddles: number[] = [];
  for (let size = points; size >= 4; size /= 4) {
    for (let j = 0; j < size / 4; j++) for (const turn of [1, 2, 3]) twiddles.push(...unit((turn * j) / size));
  }
  const turns = Array.from({ length: points / 2 + 1 }, (_, k) => unit(k / (2 * points))).flat();
  return { twiddles: Float64Array.from(twiddles), places: places(points), turns: Float64Array.from(turns) };
}

const unit = (turn: number): [cos: number, sin: number] => [
  Math.cos(-2 * Math.PI * turn),
  Math.sin(-2 * Math.PI * turn),
];

/** Decimation in frequency leaves outputs k, k + 4, k + 8 ... (or k, k + 2 ...) together: where each of them is. */
function places(points: number): Int32Array {
  const at = new Int32Array(points);
  const spread = (size: number, offset: number, k: number): void => {
    const radix = Math.min(size, 4);
    const step = points / size;
    if (size === 1) at[k] = offset * 32;
    else for (let r = 0; r < radix; r++) spread(size / radix, offset + (r * size) / radix, k + r * step);
  };
  spread(points, 0, 0);
  return at;
}
