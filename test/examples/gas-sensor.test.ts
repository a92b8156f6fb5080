import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordKitchen } from "../../examples/gas-sensor/recording.js";
import { channels, gasRate, gasVolts } from "../../examples/gas-sensor/scene/gases.js";
import { viewAt } from "../../examples/gas-sensor/scene/pictures.js";
import { type Activity, activities, partAt, script } from "../../examples/gas-sensor/scene/script.js";
import { openBundle } from "../../models/build/bundle-runner.js";
import { cosine } from "../../src/core/embedding.js";
import type { Block, Frame, SensorReading } from "../../src/core/reading.js";
import { micros } from "../../src/core/time.js";
import { decodeImage, toRgb } from "../../src/device/decode/sharp.js";
import { recordedSensors, replayReadings } from "../../src/device/replay.js";

const words: Readonly<Record<(typeof activities)[number], string>> = {
  frying: "frying",
  leak: "a gas leak",
  cleaning: "cleaning",
  coffee: "coffee",
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kitchen-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function readingsOf(seed: number, name: string): Promise<SensorReading[]> {
  const path = join(folder, name);
  await recordKitchen(path, { minutes: 0.5, seed });
  const readings: SensorReading[] = [];
  for await (const reading of replayReadings(path)) readings.push(reading);
  return readings;
}

describe("the simulated kitchen", () => {
  test("is recorded as two sensors in step, the same by the seed", async () => {
    const once = await readingsOf(1, "a.mcap");
    expect(await recordedSensors(join(folder, "a.mcap"))).toMatchObject({
      camera: { modality: "vision" },
      gas: { modality: "other" },
    });
    expect(once.filter(({ sensor }) => sensor === "camera")).toHaveLength(15);
    const gas = once.filter(({ sensor }) => sensor === "gas").map(({ reading }) => reading as Block);
    expect(gas).toHaveLength(30);
    expect(gas[0]).toMatchObject({ channels, rate: gasRate });
    expect(gas.every(({ data }) => data.length === 5 * 8 && data.every((volt) => volt > 0 && volt < 5))).toBe(true);
    expect(await readingsOf(1, "b.mcap")).toEqual(once);
    expect(await readingsOf(2, "c.mcap")).not.toEqual(once);
  });

  test("shows every activity in each round, the first as often as the last", () => {
    const parts = script(1200, 3);
    expect(parts[0]!.from).toBe(0);
    expect(parts.at(-1)!.to).toBe(1200);
    for (const [i, part] of parts.slice(1).entries()) expect(part.from).toBe(parts[i]!.to);
    const last = new Set(parts.filter(({ to }) => to > 960).map(({ activity }) => activity));
    expect(last).toEqual(new Set<Activity>(["nothing", ...activities]));
  });

  test("each gas moves the channel that is made for it, and the air clears", () => {
    const parts = script(1200, 1);
    const volts = gasVolts(parts, 1200, 1);
    const at = (second: number, channel: string): number =>
      volts[Math.floor(second * gasRate) * channels.length + channels.indexOf(channel)]!;
    const strongest = { leak: "mq4", cleaning: "mq3", frying: "mq7", coffee: "mq135" };
    for (const [activity, channel] of Object.entries(strongest)) {
      const part = parts.find((one) => one.activity === activity)!;
      expect(at(part.to - 1, channel)).toBeGreaterThan(1.3 * at(part.from, channel));
    }
    const cleaned = parts.findIndex(({ activity }) => activity === "cleaning");
    expect(at(parts[cleaned + 1]!.to - 0.5, "mq3")).toBeLessThan(0.7 * at(parts[cleaned]!.to - 1, "mq3"));
  });

  test("what nano's camera sees of it is told apart by words, however it looks this time", async () => {
    const nano = await openBundle("models/nano");
    const asked = await nano.texts(activities.map((activity) => words[activity]));
    const parts = script(600, 5);
    for (const part of parts) {
      const seconds = Math.ceil(part.from);
      expect(partAt(parts, seconds)).toBe(part);
      const picture = await decodeImage(await viewAt(seconds, part));
      const { width, height } = picture;
      const frame: Frame = {
        ...{ kind: "frame", modality: "vision", time: micros(0), format: "rgb8" },
        ...{ width, height, data: toRgb(picture) },
      };
      const seen = await nano.frame(frame);
      const cosines = asked.map((word) => cosine(word, seen));
      const best = Math.max(...cosines);
      const named = best < 0.08 ? "nothing" : activities[cosines.indexOf(best)];
      expect(named).toBe(part.activity);
    }
  });
});
