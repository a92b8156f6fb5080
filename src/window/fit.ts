/** A part of a resized picture: `width x height` pixels from `(left, top)` on, of a picture of `full` size. */
export interface Fit {
  readonly fullWidth: number;
  readonly fullHeight: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Size after the shorter side became `short`, the longer being cut to a whole number (torchvision Resize, PARITY A1). */
export function shortestSide(width: number, height: number, short: number): [width: number, height: number] {
  return width <= height
    ? [short, Math.trunc((short * height) / width)]
    : [Math.trunc((short * width) / height), short];
}

/** Shorter side to `resizeTo`, then the central square of `size`, whose corner is rounded half to even (PARITY A1). */
export function shortestThenCrop(width: number, height: number, { size, resizeTo = size }: FitOptions): Fit {
  const [fullWidth, fullHeight] = shortestSide(width, height, resizeTo);
  return {
    fullWidth,
    fullHeight,
    left: halfToEven((fullWidth - size) / 2),
    top: halfToEven((fullHeight - size) / 2),
    width: size,
    height: size,
  };
}

export interface FitOptions {
  readonly size: number;
  readonly resizeTo?: number | undefined;
}

/** Both sides to `size`, whatever the aspect. */
export const stretch = (size: number): Fit => ({
  fullWidth: size,
  fullHeight: size,
  left: 0,
  top: 0,
  width: size,
  height: size,
});

/** Python's `round`: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2. */
function halfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
