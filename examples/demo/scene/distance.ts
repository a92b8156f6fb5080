import { personAt } from "./person.js";
import { noise } from "./random.js";

/** Frames a second, and size, of the depth camera. */
export const depthRate = 2;
export const depth = { width: 64, height: 48 } as const;

/** Metres, NaN where there is no echo: a wall, a floor, a table, and the person in front of them. */
export function distanceAt(t: number, random: () => number): Float32Array {
  const { width, height } = depth;
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = [x / width, y / height];
      // A camera 1.2 m above the floor with 45 degrees of height sees the floor at 1.2 / tan(angle).
      const floor = v > 0.5 ? 1.2 / Math.tan((v - 0.5) * 0.785) : Number.POSITIVE_INFINITY;
      const table = u > 0.62 && u < 0.95 && v > 0.55 && v < 0.62 ? 2.4 : Number.POSITIVE_INFINITY;
      const person = personAt(t, u, v) ? 1.9 : Number.POSITIVE_INFINITY;
      const metres = Math.min(4.2, floor, table, person);
      out[y * width + x] = random() < 0.01 ? Number.NaN : metres + noise(random, 0.002 * metres * metres);
    }
  return out;
}
