import { gaussian } from "../../core/random.js";
import { tensor } from "../../core/tensor.js";
import { type Augment, within } from "./augment.js";

type Vector = readonly [number, number, number];

/**
 * `[..., channels, steps]` of which every three channels are x, y, z of one vector, all turned by one random rotation of up to `most`
 * radians (0.5 unless given) about a random axis: a sensor is never strapped on twice in the same way (rotation: Um et al. 2017,
 * arXiv 1706.00552). Acceleration and turning are turned alike, as one board would be; the three channels must be in the same unit.
 */
export const rotate =
  ({ most = 0.5 } = {}): Augment =>
  ({ dims, data }, random) => {
    const steps = dims.at(-1)!;
    const rows = rotation(axis(random), within(most, random));
    const out = data.slice();
    for (let at = 0; at + 3 * steps <= data.length; at += 3 * steps)
      for (let t = at; t < at + steps; t++) {
        const [x, y, z] = [data[t]!, data[t + steps]!, data[t + 2 * steps]!];
        for (const [c, row] of rows.entries()) out[t + c * steps] = row[0] * x + row[1] * y + row[2] * z;
      }
    return tensor(dims, out);
  };

/** All channels times one `1 ± most`, 0.1 unless given: who moves, moves harder or less hard (Um et al. 2017, arXiv 1706.00552). */
export const scale =
  ({ most = 0.1 } = {}): Augment =>
  ({ dims, data }, random) => {
    const factor = 1 + within(most, random);
    return tensor(
      dims,
      data.map((value) => value * factor),
    );
  };

/** A direction, all alike likely. */
function axis(random: () => number): Vector {
  const [x, y, z] = [gaussian(random), gaussian(random), gaussian(random)];
  const length = Math.hypot(x, y, z) || 1;
  return [x / length, y / length, z / length];
}

/** The matrix of a rotation about a unit vector (Rodrigues 1840). */
function rotation([x, y, z]: Vector, angle: number): readonly [Vector, Vector, Vector] {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const d = 1 - c;
  return [
    [c + x * x * d, x * y * d - z * s, x * z * d + y * s],
    [y * x * d + z * s, c + y * y * d, y * z * d - x * s],
    [z * x * d - y * s, z * y * d + x * s, c + z * z * d],
  ];
}
