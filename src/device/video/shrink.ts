import type { FrameSize } from "./decoder.js";

/**
 * RGB of RGBA, scaled down by the mean of the pixels that fall together, up by repeating. Allocates its result and nothing else: it runs
 * per frame.
 */
export function shrinkToRgb(rgba: Uint8Array, from: FrameSize, to: FrameSize): Uint8Array {
  const out = new Uint8Array(to.width * to.height * 3);
  for (let y = 0, at = 0; y < to.height; y++) {
    const top = Math.floor((y * from.height) / to.height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * from.height) / to.height));
    for (let x = 0; x < to.width; x++, at += 3) {
      const left = Math.floor((x * from.width) / to.width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * from.width) / to.width));
      const count = (bottom - top) * (right - left);
      let [r, g, b] = [0, 0, 0];
      for (let row = top; row < bottom; row++) {
        for (let i = (row * from.width + left) * 4, end = i + (right - left) * 4; i < end; i += 4) {
          r += rgba[i]!;
          g += rgba[i + 1]!;
          b += rgba[i + 2]!;
        }
      }
      out[at] = Math.round(r / count);
      out[at + 1] = Math.round(g / count);
      out[at + 2] = Math.round(b / count);
    }
  }
  return out;
}
