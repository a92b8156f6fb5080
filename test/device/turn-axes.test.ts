import { expect, test } from "vitest";
import { hz, micros } from "../../src/core/time.js";
import { turnAxes } from "../../src/device/turn-axes.js";

test("a turned sensor gives the axes of the board, gyroscope and magnetometer too, other channels untouched", () => {
  const reading = {
    ...{ kind: "block" as const, modality: "imu" as const, time: micros(0), rate: hz(100) },
    channels: ["ax", "ay", "az", "gx", "gy", "gz", "temperature"],
    data: Float32Array.of(1, 2, 3, 4, 5, 6, 20, 10, 20, 30, 40, 50, 60, 21),
  };
  const turned = turnAxes(reading, ["y", "-x", "z"]);
  expect([...turned.data]).toEqual([2, -1, 3, 5, -4, 6, 20, 20, -10, 30, 50, -40, 60, 21]);
  expect(turnAxes(reading, ["x", "y", "z"])).toEqual(reading);
});
