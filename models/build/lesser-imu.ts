import { gaussian } from "../../src/core/random.js";

/** Ranges that small sensors are set to: acceleration in g, turning in degrees a second. */
const accelRanges = [4, 8, 16];
const gyroRanges = [250, 500, 2000];

/** What a cheaper sensor, mounted another way round, would have given: turned, clipped, noisy, with an offset; planes of six channels. */
export function lesserSensor(planes: readonly Float32Array[], random: () => number): Float32Array[] {
  const pick = (list: readonly number[]): number => list[Math.floor(random() * list.length)]!;
  const turn = rotation(random);
  const parts = [
    { range: pick(accelRanges) * 9.80665, noise: 0.05, offset: 0.2 },
    { range: (pick(gyroRanges) * Math.PI) / 180, noise: 0.005, offset: 0.02 },
  ];
  return parts.flatMap(({ range, noise, offset }, part) =>
    turn.map((row) => {
      const shift = offset * gaussian(random);
      return planes[part * 3]!.map((_, t) => {
        const value = row.reduce((sum, factor, c) => sum + factor * planes[part * 3 + c]![t]!, 0);
        return Math.max(-range, Math.min(range, value + shift + noise * gaussian(random)));
      });
    }),
  );
}

/** A random rotation from a random unit quaternion. */
function rotation(random: () => number): readonly (readonly number[])[] {
  const q = Array.from({ length: 4 }, () => gaussian(random));
  const length = Math.hypot(...q);
  const [w, x, y, z] = q.map((part) => part / length) as [number, number, number, number];
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ];
}
