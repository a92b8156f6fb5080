/**
 * The upper tail of a sample: a generalised Pareto distribution above an anchor that `share` of the sample exceeds
 * (peaks over threshold: Pickands 1975; fitted by probability-weighted moments: Hosking and Wallis 1987).
 */
export interface Tail {
  readonly anchor: number;
  readonly share: number;
  readonly scale: number;
  /** 0 is an exponential tail, below 0 it ends, above 0 it is heavy. */
  readonly shape: number;
}

export interface TailOptions {
  /** Share of the sample that the tail is fitted to. */
  readonly share?: number;
  /** Shape before anything was seen, and how many exceedances it weighs. */
  readonly prior?: { readonly shape: number; readonly weight: number };
}

const usualPrior = { shape: -0.1, weight: 60 } as const;

const shapes = { least: -0.5, most: 0.3 } as const;

/** Fits the tail of an ascending sample of at least 10. */
export function fitTail(sorted: Float64Array, { share = 0.15, prior = usualPrior }: TailOptions = {}): Tail {
  const first = Math.min(sorted.length - 5, Math.floor(sorted.length * (1 - share)));
  const anchor = sorted[first - 1]!;
  const n = sorted.length - first;
  let mean = 0;
  let weighted = 0;
  for (let i = 0; i < n; i++) {
    const excess = sorted[first + i]! - anchor;
    mean += excess / n;
    weighted += (excess * (1 - (i + 0.65) / n)) / n;
  }
  const spread = mean - 2 * weighted;
  const found = spread > 1e-12 ? 2 - mean / spread : 0;
  const shape = clamp((n * clamp(found) + prior.weight * prior.shape) / (n + prior.weight));
  return { anchor, share: n / sorted.length, scale: Math.max(mean * (1 - shape), 1e-9), shape };
}

const clamp = (shape: number): number => Math.min(shapes.most, Math.max(shapes.least, shape));

/** The value that a member of the sample exceeds with probability `p`; at most the anchor's share. */
export function exceededBy({ anchor, share, scale, shape }: Tail, p: number): number {
  const ratio = Math.max(1, share / p);
  return anchor + (Math.abs(shape) < 1e-6 ? scale * Math.log(ratio) : (scale / shape) * (ratio ** shape - 1));
}

/**
 * The probability to ask `exceededBy` for so that new members exceed what it gives with probability `p`: less than `p`,
 * since a tail fitted to `count` exceedances is itself uncertain, the more so the further it is drawn out. To second order
 * in the logarithm, with the variances of scale and shape that Hosking and Wallis (1987) give for an exponential tail.
 */
export function predictive({ share }: Tail, p: number, count: number): number {
  const drawnOut = Math.max(0, Math.log(share / p));
  const own = count / (count + usualPrior.weight);
  const variance = (drawnOut ** 2 + (drawnOut ** 2 / 2) ** 2 * own ** 2) / count;
  return p * Math.exp(-variance / 2);
}

/** The probability that a member of the sample exceeds `value`; a value below the anchor gives the anchor's share. */
export function exceedance({ anchor, share, scale, shape }: Tail, value: number): number {
  const excess = Math.max(0, value - anchor) / scale;
  if (Math.abs(shape) < 1e-6) return share * Math.exp(-excess);
  return share * Math.max(0, 1 + shape * excess) ** (-1 / shape);
}
