export type Filter = "bicubic" | "bilinear";

/** Which inputs make each output of a resampled axis, and with what weight: output i has `count[i]` taps from `first[i]` on. */
export interface Taps {
  readonly outputs: number;
  /** Weights of output i start at `i * stride`. */
  readonly stride: number;
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** Each output's weights sum to 1. */
  readonly weights: Float64Array;
}

export interface Axis {
  /** Pixels of the input, and of the whole output. */
  readonly input: number;
  readonly output: number;
  /** The outputs that are wanted: `count` of them from `from` on. */
  readonly from: number;
  readonly count: number;
}

/** Keys' cubic with a = -0.5, as Pillow's BICUBIC (torch's own bicubic has -0.75). */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * -0.5 : 0;
}

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x));

const kernels = { bicubic: { at: cubic, support: 2 }, bilinear: { at: triangle, support: 1 } } as const;

/** Taps of Pillow's antialiased resampling: on shrinking, the kernel is stretched by the scale (PARITY A1). */
export function antialiasedTaps({ input, output, from, count }: Axis, filter: Filter): Taps {
  const { at, support } = kernels[filter];
  const scale = input / output;
  const stretched = Math.max(scale, 1);
  const reach = support * stretched;
  const stride = Math.ceil(reach) * 2 + 1;
  const taps = emptyTaps(count, stride);
  for (let i = 0; i < count; i++) {
    const centre = (from + i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(input, Math.trunc(centre + reach + 0.5));
    let sum = 0;
    for (let j = first; j < last; j++) {
      // Pillow multiplies by the reciprocal; a division can differ in the last bit.
      const weight = at((j - centre + 0.5) * (1 / stretched));
      taps.weights[i * stride + j - first] = weight;
      sum += weight;
    }
    for (let k = 0; k < last - first; k++) taps.weights[i * stride + k]! /= sum;
    taps.first[i] = first;
    taps.count[i] = last - first;
  }
  return taps;
}

/** Taps of torch's bilinear `interpolate` without antialias, align_corners false: two neighbours each. */
export function bilinearTaps({ input, output, from, count }: Axis): Taps {
  const taps = emptyTaps(count, 2);
  for (let i = 0; i < count; i++) {
    const position = Math.max(0, (from + i + 0.5) * (input / output) - 0.5);
    const first = Math.min(Math.floor(position), input - 1);
    taps.first[i] = first;
    taps.count[i] = Math.min(2, input - first);
    const right = taps.count[i] === 2 ? position - first : 0;
    taps.weights[2 * i] = 1 - right;
    taps.weights[2 * i + 1] = right;
  }
  return taps;
}

function emptyTaps(outputs: number, stride: number): Taps {
  return {
    outputs,
    stride,
    first: new Int32Array(outputs),
    count: new Int32Array(outputs),
    weights: new Float64Array(outputs * stride),
  };
}
