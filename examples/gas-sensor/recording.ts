import { hz, micros, type Reading, recordReadings } from "sensebind";
import { sampleTime } from "sensebind/device";
import { channels, gasRate, gasVolts } from "./scene/gases.js";
import { cameraPeriod, viewAt } from "./scene/pictures.js";
import { type Part, partAt, script, start } from "./scene/script.js";

export interface KitchenOptions {
  /** How long the kitchen is watched. */
  readonly minutes?: number;
  /** Another seed, another evening. */
  readonly seed?: number;
}

/**
 * Writes what a camera and a gas sensor of eight channels would have given in a kitchen, and returns what went on: the sensors `camera`
 * (JPEG, one in two seconds) and `gas` (volts, 5 Hz, blocks of a second).
 */
export async function recordKitchen(
  path: string,
  { minutes = 20, seed = 1 }: KitchenOptions = {},
): Promise<readonly Part[]> {
  const seconds = Math.round(minutes * 60);
  const parts = script(seconds, seed);
  await using recorder = await recordReadings(path, {
    node: "kitchen",
    sensors: {
      camera: { modality: "vision", device: "examples/gas-sensor" },
      gas: { modality: "other", device: "examples/gas-sensor" },
    },
  });
  const volts = gasVolts(parts, seconds, seed);
  const size = gasRate * channels.length;
  for (let second = 0; second < seconds; second++) {
    const time = sampleTime(micros(start), second, hz(1));
    const gas: Reading = {
      ...{ kind: "block", modality: "other", time, channels, rate: hz(gasRate) },
      data: volts.slice(second * size, (second + 1) * size),
    };
    await recorder.write({ sensor: "gas", seq: second, reading: gas });
    if (second % cameraPeriod !== 0) continue;
    const data = await viewAt(second, partAt(parts, second));
    const picture: Reading = { kind: "encoded", modality: "vision", mime: "image/jpeg", time, data };
    await recorder.write({ sensor: "camera", seq: second / cameraPeriod, reading: picture });
  }
  return parts;
}
