import type { Reading } from "../core/reading.js";

/**
 * The reading of a sensor that is mounted turned: each triple of channels `?x ?y ?z` (acceleration, rotation, magnetic field) gets its
 * axes in the order and with the signs of `axes`, for instance `["y", "-x", "z"]`.
 */
export function turnAxes(reading: Reading, axes: readonly [string, string, string]): Reading {
  if (reading.kind !== "block") return reading;
  const { channels, data } = reading;
  const width = channels.length;
  const source = channels.map((name, c) => {
    const axis = axes["xyz".indexOf(name.at(-1)!)];
    const from = axis === undefined ? c : channels.indexOf(name.slice(0, -1) + axis.replace("-", ""));
    return { from: from === -1 ? c : from, sign: axis?.startsWith("-") ? -1 : 1 };
  });
  const turned = data.map((_, i) => {
    const { from, sign } = source[i % width]!;
    return data[i - (i % width) + from]! * sign;
  });
  return { ...reading, data: turned };
}
