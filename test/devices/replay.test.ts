import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import replay from "../../devices/replay.js";
import { isSenseError } from "../../src/core/errors.js";
import { hz, micros } from "../../src/core/time.js";
import { recordReadings } from "../../src/device/record.js";
import { deviceContract } from "../../src/testing/device-contract.js";
import { readDevice } from "../support/device.js";

const path = join(mkdtempSync(join(tmpdir(), "replay-")), "r.mcap");
const sensors = { mic: { modality: "audio", device: "files" }, imu: { modality: "imu", device: "files" } } as const;

beforeAll(async () => {
  await using recorder = await recordReadings(path, { node: "n", sensors });
  for (let i = 0; i < 20; i++) {
    const data = new Float32Array(16).fill(i / 32);
    const time = micros(5_000_000 + i * 10_000);
    const block = { kind: "block", modality: "audio", time, channels: ["mono"], rate: hz(1600), data } as const;
    if (i > 4) await recorder.write({ sensor: "mic", seq: i, reading: block });
    const imu = { ...block, modality: "imu" as const, channels: ["ax", "ay", "az", "gx"] };
    await recorder.write({ sensor: "imu", seq: i, reading: imu });
  }
});

for (const { promise, check } of deviceContract(replay, { options: { path, sensor: "mic" } }))
  test(`replay: ${promise}`, check);

test("one sensor of a recording is played with its recorded times", async () => {
  const { readings } = await readDevice(replay, { options: { path, sensor: "mic" } });
  expect(readings.map(({ time }) => time)).toEqual(Array.from({ length: 15 }, (_, i) => 5_050_000 + i * 10_000));
});

test("in real time the start of the recording is now, for every sensor the same", async () => {
  const now = micros(1e15);
  const clock = { now: () => now };
  const options = { path, sensor: "mic", pace: "realtime" };
  const { readings } = await readDevice(replay, { options, count: 1, context: { clock } });
  expect(readings[0]!.time).toBe(now + 50_000);
});

test("a sensor that is not in the recording is named in the error", async () => {
  const error = await readDevice(replay, { options: { path, sensor: "cam" } }).catch((e: unknown) => e);
  expect(isSenseError(error, "BAD_RECORDING") && error.message).toMatch(/no reading of a sensor "cam"/);
});
