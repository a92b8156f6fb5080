import { personAt } from "./person.js";
import { noise } from "./random.js";
import { scene } from "./script.js";

/** Frames a second, and size, of the thermal camera. */
export const thermalRate = 4;
export const thermal = { width: 48, height: 36 } as const;

/** Temperatures in °C: a kitchen at 21, a cooler window, a person, and a pan that gets hot on its stove. */
export function warmthAt(t: number, random: () => number): Float32Array {
  const { width, height } = thermal;
  const heat = Math.min(1, Math.max(0, (t - scene.pan.from) / (scene.pan.hotAt - scene.pan.from)));
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = [x / width, y / height];
      const room = u > 0.06 && u < 0.3 && v > 0.08 && v < 0.4 ? 16 : 21 + 1.5 * (1 - v);
      const pan =
        150 * heat * disc((u - 0.8) / 0.12, (v - 0.72) / 0.07) + 30 * heat * disc((u - 0.8) / 0.2, (v - 0.76) / 0.14);
      const body = personAt(t, u, v) ? (v < 0.34 ? 33.5 : 30) : 0;
      out[y * width + x] = Math.max(room, body) + pan + noise(random, 0.08);
    }
  return out;
}

/** 1 inside the unit circle, falling off smoothly at its edge. */
const disc = (x: number, y: number): number => 1 / (1 + Math.exp(12 * (Math.hypot(x, y) - 1)));
