/** First samples of the windows over a file, one every `hop` samples; one window, not full, where the file is shorter. */
export function windowStarts(
  samples: number,
  { length, hop }: { readonly length: number; readonly hop: number },
): number[] {
  const step = Math.max(1, hop);
  const count = Math.max(1, 1 + Math.floor((samples - length) / step + 1e-9));
  return Array.from({ length: count }, (_, k) => Math.round(k * step));
}

export interface WindowFill {
  readonly start: number;
  /** What stands where the samples have ended: zeros, or the samples again from their beginning. */
  readonly short: "pad" | "repeat";
}

/** Copies samples from `start` on into a window. Allocates nothing. */
export function fillWindow(out: Float32Array, samples: Float32Array, { start, short }: WindowFill): void {
  const there = Math.min(out.length, samples.length - start);
  out.set(samples.subarray(start, start + there));
  for (let i = there; i < out.length; i++) out[i] = short === "repeat" ? samples[i % samples.length]! : 0;
}
