import { tensor } from "../../core/tensor.js";
import { type Augment, within } from "./augment.js";

export interface CropOptions {
  /** Least share of each side that stays; 0.8 unless given. */
  readonly least?: number;
  /** How much wider or narrower than the picture the part may be: up to `1 ± aspect`; 0.1 unless given. */
  readonly aspect?: number;
  /** Whether half of the pictures are mirrored: only where the anchor says nothing of left and right. */
  readonly flip?: boolean;
}

/**
 * A random part of `[..., height, width]`, stretched back to its size (bilinear), each plane alike (random resized crop: Szegedy et al.
 * 2015, "Going deeper with convolutions", arXiv 1409.4842, section 6).
 */
export const cropResize =
  ({ least = 0.8, aspect = 0.1, flip = false }: CropOptions = {}): Augment =>
  ({ dims, data }, random) => {
    const [height, width] = [dims.at(-2)!, dims.at(-1)!];
    const side = least + (1 - least) * random();
    const narrower = within(aspect, random);
    const share = { x: Math.min(1, side * (1 + narrower)), y: Math.min(1, side * (1 - narrower)) };
    const columns = taps(width, { share: share.x, at: random(), mirrored: flip && random() < 0.5 });
    const rows = taps(height, { share: share.y, at: random(), mirrored: false });
    const out = new Float32Array(data.length);
    for (let plane = 0; plane < data.length; plane += height * width)
      for (let y = 0; y < height; y++) {
        const [above, below, down] = rows[y]!;
        for (let x = 0; x < width; x++) {
          const [left, right, over] = columns[x]!;
          const at = (row: number): number => {
            const from = plane + row * width;
            return data[from + left]! * (1 - over) + data[from + right]! * over;
          };
          out[plane + y * width + x] = at(above) * (1 - down) + at(below) * down;
        }
      }
    return tensor(dims, out);
  };

type Tap = readonly [low: number, high: number, share: number];

/** For each pixel of a side, the two pixels between which it lies in the part that is cut out, and how near to the second. */
function taps(size: number, part: { readonly share: number; readonly at: number; readonly mirrored: boolean }): Tap[] {
  const from = part.at * size * (1 - part.share);
  const found = Array.from({ length: size }, (_, i): Tap => {
    const centre = Math.max(0, Math.min(size - 1, from + (i + 0.5) * part.share - 0.5));
    const low = Math.floor(centre);
    return [low, Math.min(low + 1, size - 1), centre - low];
  });
  return part.mirrored ? found.reverse() : found;
}
