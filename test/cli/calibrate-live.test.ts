import { access, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { recordKitchen } from "../../examples/gas-sensor/recording.js";
import { replayReadings } from "../../src/device/replay.js";
import { killedAt } from "./killed-at.js";
import { jsonLines, sensebind } from "./spawn.js";

let dir: string;
const file = (name: string): string => join(dir, name);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sensebind-live-"));
  await recordKitchen(file("kitchen.mcap"), { minutes: 4, seed: 1 });
}, 60_000);

/** A node whose devices play the kitchen, as fast as it goes or as it went. */
async function configured(pace: "fast" | "realtime", gas?: string): Promise<string> {
  const played = (sensor: string): string =>
    `device: replay, options: { path: ${file("kitchen.mcap")}, sensor: ${sensor}, pace: ${pace} }`;
  const text = [
    "node: kitchen",
    "sensors:",
    `  gas: { modality: other, bind: camera, ${gas ?? played("gas")} }`,
    `  camera: { modality: vision, ${played("camera")} }`,
    "concepts:",
    "  frying: { texts: [food frying in a pan] }",
  ];
  await writeFile(file(`${pace}.yaml`), text.join("\n"));
  return file(`${pace}.yaml`);
}

const learning = ["--tolerance", "1100ms", "--scenes", "5", "--steps", "80"];

test("both sensors are recorded live and bound; the configuration tells the camera and the words", async () => {
  const config = await configured("fast");
  const args = ["calibrate", "gas", "--config", config, "--duration", "3m", "--out", file("gas"), ...learning];
  const { code, stdout, stderr } = await sensebind(...args, "--json");
  expect(code, stderr).toBe(0);
  const [report] = jsonLines(stdout) as { with: string; answers: { concept: string }[]; memory: { peak: number } }[];
  expect(report).toMatchObject({ with: "camera", answers: [{ concept: "frying" }] });
  expect(report!.memory.peak).toBeGreaterThan(50e6);
  await access(file("gas/manifest.json"));
  await access(file("gas.recording.mcap"));
}, 60_000);

test("Ctrl-C while it records keeps what there is; the same command records what is missing, and a recording counts once", async () => {
  const config = await configured("realtime");
  const args = ["calibrate", "gas", "--config", config, "--duration", "12s", "--out", file("cut"), ...learning];
  const said = await killedAt(/^recording: 50 %/, args, "SIGINT");
  const first = file("cut.recording.mcap");
  expect(said).toContain(`what was recorded is in ${first}; to bind from what is there:`);
  expect(said).toContain(`--recording ${first} --out ${file("cut")}`);
  expect(said).toContain("the same command goes on from there");
  expect(await secondsOf(first)).toBeLessThan(10);

  const { code, stderr } = await sensebind(...args);
  expect(code).toBe(1);
  expect(stderr).toMatch(/goes on from .*cut\.recording\.mcap: \ds are recorded, \d+s are left/);
  expect(stderr).toMatch(/a longer --duration records on from there\nTOO_LITTLE_VARIETY/);
  const second = file("cut.recording-2.mcap");
  const all = (await secondsOf(first)) + (await secondsOf(second));
  expect(all).toBeGreaterThan(8);
  expect(all).toBeLessThan(14);
  expect((await readdir(dir)).filter((name) => name.startsWith("cut") && !name.endsWith(".mcap"))).toEqual([
    "cut.calibrating",
  ]);
}, 60_000);

test("a sensor that is not there is named while it records, and nothing is learned without it", async () => {
  const config = await configured(
    "realtime",
    "device: serial, options: { path: /dev/no-such-port, schema: gas-generic.v1 }",
  );
  const args = ["calibrate", "gas", "--config", config, "--duration", "6s", "--out", file("absent"), ...learning];
  const { code, stderr } = await sensebind(...args);
  expect(stderr).toMatch(/gas is (absent|error): .*no-such-port/);
  expect(stderr).toMatch(/DEVICE_FAILED: gas gave nothing in 6s\nhint: Check it with/);
  expect(code).toBe(1);
}, 30_000);

/** From the first to the last reading of a recording. */
async function secondsOf(path: string): Promise<number> {
  const times: number[] = [];
  for await (const { reading } of replayReadings(path)) times.push(reading.time);
  return (Math.max(...times) - Math.min(...times)) / 1e6;
}
