import type { Anchor, Sensed } from "../../../src/align/pairs/pair.js";
import { normalize, type UnitVector } from "../../../src/core/embedding.js";
import { gaussian, seeded } from "../../../src/core/random.js";
import { tensor } from "../../../src/core/tensor.js";
import { micros } from "../../../src/core/time.js";

export const second = 1_000_000;
const start = 1_700_000_000 * second;

export const at = (seconds: number) => micros(start + seconds * second);

/** What a camera would see of one of many scenes, a little different each time. */
export function view(scene: number, noise: () => number): UnitVector {
  const own = seeded(1000 + scene);
  return normalize(Array.from({ length: 32 }, () => gaussian(own) + 0.03 * gaussian(noise)));
}

export const sensed = (seconds: number, values: readonly number[]): Sensed => ({
  time: at(seconds),
  input: tensor([1, values.length], Float32Array.from(values)),
});

export const anchor = (seconds: number, vector: UnitVector, light?: number): Anchor => ({
  time: at(seconds),
  vector,
  ...(light === undefined ? {} : { light }),
});

/** A camera and a sensor that look at the scenes of a list, ten seconds each, one window and one frame a second. */
export function streams(scenes: readonly number[], { lag = 0, hold = 10 } = {}) {
  const noise = seeded(7);
  const seconds = Array.from({ length: scenes.length * hold }, (_, i) => i);
  const sceneAt = (t: number): number => scenes[Math.floor(t / hold)]!;
  return {
    sensor: "gas0",
    camera: "cam0",
    windows: seconds.map((t) => sensed(t + lag, [sceneAt(t) + 0.1 * noise(), t])),
    anchors: seconds.map((t) => anchor(t, view(sceneAt(t), noise), 0.4)),
  };
}
