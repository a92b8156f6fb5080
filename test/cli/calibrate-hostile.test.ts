import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { recordKitchen } from "../../examples/gas-sensor/recording.js";
import { type Part, partAt } from "../../examples/gas-sensor/scene/script.js";
import { seeded } from "../../src/core/random.js";
import type { Reading } from "../../src/core/reading.js";
import { micros } from "../../src/core/time.js";
import { recordReadings } from "../../src/device/record.js";
import { replayReadings } from "../../src/device/replay.js";
import { killedAt } from "./killed-at.js";
import { sensebind } from "./spawn.js";

const nano = fileURLToPath(new URL("../../models/nano", import.meta.url));
let dir: string;
let before: string;
const file = (name: string): string => join(dir, name);
const learning = ["--tolerance", "1100ms", "--scenes", "5", "--steps", "80"];

/** Every file of a folder with its content. */
function contentOf(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest("hex");
}

beforeAll(async () => {
  before = contentOf(nano);
  dir = await mkdtemp(join(tmpdir(), "sensebind-hostile-"));
  await recordKitchen(file("kitchen.mcap"), { minutes: 4, seed: 1 });
}, 60_000);

afterAll(() => {
  expect(contentOf(nano)).toBe(before);
});

/** The kitchen as another sensor or camera would have given it. */
async function changed(name: string, change: (reading: Reading, seq: number) => Reading): Promise<string> {
  const about = { device: "test" };
  await using recorder = await recordReadings(file(name), {
    node: "kitchen",
    sensors: { camera: { modality: "vision", ...about }, gas: { modality: "other", ...about } },
  });
  for await (const { sensor, seq, reading } of replayReadings(file("kitchen.mcap"))) {
    await recorder.write({ sensor, seq, reading: change(reading, seq) });
  }
  return file(name);
}

async function refused(recording: string, ...args: string[]): Promise<string> {
  const out = file("none");
  const names = ["gas", "--with", "camera", "--recording", recording, "--out", out];
  const { code, stderr } = await sensebind("calibrate", ...names, ...learning, ...args);
  expect(code, stderr).toBeGreaterThan(0);
  expect(stderr).toMatch(/^[A-Z_]+: .*\nhint: ./m);
  const left = readdirSync(dir).filter((name) => name.startsWith("none") && name !== "none.calibrating");
  expect(left).toEqual([]);
  return stderr;
}

test("a sensor that never varies, one that gives NaN, and a covered camera are named", async () => {
  const flat = await changed("flat.mcap", (reading) =>
    reading.kind === "block" ? { ...reading, data: reading.data.map(() => 0.4) } : reading,
  );
  expect(await refused(flat)).toMatch(/BAD_PAIRS: gas never varied: all \d+ windows hold the same values/);
  const spoilt = await changed("spoilt.mcap", (reading, seq) =>
    reading.kind === "block" && seq % 12 === 0 ? { ...reading, data: reading.data.map(() => Number.NaN) } : reading,
  );
  expect(await refused(spoilt)).toMatch(/BAD_PAIRS: 8\.3 % of the readings of gas are NaN or infinite values/);
  const covered = await changed("covered.mcap", (reading) =>
    reading.kind === "encoded"
      ? {
          ...{ kind: "frame", modality: "vision", time: reading.time, format: "rgb8", width: 64, height: 48 },
          data: new Uint8Array(64 * 48 * 3).fill(1),
        }
      : reading,
  );
  expect(await refused(covered)).toMatch(/BAD_PAIRS: \d+ of \d+ frames of camera are dark[\s\S]*Is it covered/);
}, 60_000);

test("a few readings of NaN and a picture that was cut off do not end it", async () => {
  const few = await changed("few.mcap", (reading, seq) => {
    if (reading.kind === "block" && seq === 100) return { ...reading, data: reading.data.map(() => Number.NaN) };
    if (reading.kind === "encoded" && seq % 20 === 7) return { ...reading, data: reading.data.subarray(0, 200) };
    return reading;
  });
  const names = ["gas", "--with", "camera", "--recording", few, "--out", file("few")];
  const said = await killedAt(/^step 8 of 80/, ["calibrate", ...names, ...learning]);
  expect(said).toMatch(/\d+ pairs of \d+ scenes to learn from/);
}, 60_000);

test("clocks that are a second apart are named with how far they are", async () => {
  const parts = await recordKitchen(file("five.mcap"), { minutes: 5, seed: 1 });
  await twoEyes(file("clocks.mcap"), parts);
  const names = ["heat", "--with", "camera", "--recording", file("clocks.mcap"), "--out", file("clocks")];
  const { code, stderr } = await sensebind("calibrate", ...names, "--train", "encoder", "--hop", "500ms");
  expect(stderr).toMatch(/CLOCKS_APART: heat tells the same story as camera, but \d\.\d+ s later/);
  expect(Number(/but (\S+) s later/.exec(stderr)![1])).toBeCloseTo(1, 0);
  expect(code).toBe(1);
}, 60_000);

/** The kitchen four times as fast, before the camera and a thermal sensor whose clock is a second ahead. */
async function twoEyes(path: string, parts: readonly Part[]): Promise<void> {
  await using recorder = await recordReadings(path, {
    node: "test",
    sensors: { camera: { modality: "vision", device: "test" }, heat: { modality: "thermal", device: "test" } },
  });
  const [width, height] = [32, 24];
  let begin: number | undefined;
  for await (const { sensor, seq, reading } of replayReadings(file("five.mcap"))) {
    begin ??= reading.time;
    if (sensor !== "camera") continue;
    const time = micros(begin + (reading.time - begin) / 4);
    await recorder.write({ sensor, seq, reading: { ...reading, time } });
    const { activity } = partAt(parts, Math.round((reading.time - begin) / 1e6));
    const random = seeded(activity.length);
    const data = Float32Array.from({ length: width * height }, () => 20 + 10 * random());
    const form = { kind: "frame", modality: "thermal", format: "float32", width, height } as const;
    await recorder.write({ sensor: "heat", seq, reading: { ...form, time: micros(time + 1e6), data } });
  }
}

const probe = mkdtempSync(join(tmpdir(), "sensebind-probe-"));
const canMount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", probe]).status === 0;
if (canMount) spawnSync("umount", [probe]);
rmSync(probe, { recursive: true });
const note = canMount ? "" : " (SKIPPED: mounting a tmpfs is not permitted here)";

describe.skipIf(!canMount)(`a disk that is full${note}`, () => {
  let disk = "";
  const out = (): string => join(disk, "gas");
  const args = (): string[] => [
    ...["calibrate", "gas", "--with", "camera", "--recording", file("kitchen.mcap"), "--out", out()],
    ...learning,
  ];
  const sized = (bytes: number, ...more: string[]): void => {
    const options = [...more, `size=${Math.ceil(bytes / 4096) * 4096}`].join(",");
    expect(spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", disk]).status).toBe(0);
  };
  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), "sensebind-full-"));
  });
  afterEach(() => {
    spawnSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true });
  });

  async function full(...more: string[]): Promise<string> {
    const { code, stderr } = await sensebind(...args(), ...more);
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/FILE_UNWRITABLE: .*(full|ENOSPC)[\s\S]*hint: Free some space/);
    expect(readdirSync(disk).filter((name) => name === "gas" || name.endsWith(".part"))).toEqual([]);
    return stderr;
  }

  test("at the cache of embeddings, at a checkpoint and at the bundle, says so, keeps what there is, and goes on when there is room", async () => {
    sized(64 * 1024);
    expect(await full()).toContain("vision.vectors");

    sized(16 * 2 ** 20, "remount");
    await killedAt(/^step 8 of 80/, args());
    rmSync(`${out()}.calibrating/checkpoint`);
    sized(usedBy(disk) + 8192, "remount");
    expect(await full()).toMatch(/the checkpoint .* cannot be written/);

    sized(64 * 2 ** 20, "remount");
    await killedAt(/^step 80 of 80/, args());
    rmSync(`${out()}.part`, { recursive: true, force: true });
    sized(usedBy(disk) + 2 ** 20, "remount");
    expect(await full()).toContain("bundle");

    sized(256 * 2 ** 20, "remount");
    const { code, stderr } = await sensebind(...args());
    expect(code, stderr).toBe(0);
    expect((await sensebind("models", "verify", out())).code).toBe(0);
  }, 180_000);

  test("at the live recording, says so and keeps what was recorded", async () => {
    sized(16 * 1024);
    const sensor = (id: string, modality: string): string =>
      `  ${id}: { modality: ${modality}, device: replay, options: { path: ${file("kitchen.mcap")}, sensor: ${id}, pace: realtime } }`;
    await writeFile(file("live.yaml"), `node: k\nsensors:\n${sensor("gas", "other")}\n${sensor("camera", "vision")}\n`);
    const live = ["calibrate", "gas", "--with", "camera", "--config", file("live.yaml"), "--out", out()];
    const { code, stderr } = await sensebind(...live, "--duration", "60s");
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/FILE_UNWRITABLE: .*gas\.recording\.mcap cannot be written \(ENOSPC\)\nhint: Free space/);
    const kept: string[] = [];
    for await (const { sensor: name } of replayReadings(`${out()}.recording.mcap`)) kept.push(name);
    expect(kept.length).toBeGreaterThan(2);
    await rm(file("live.yaml"));
  }, 60_000);
});

/** Bytes that the files of a folder take, in pages. */
function usedBy(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce((sum, entry) => {
    if (!entry.isFile()) return sum + 4096;
    return sum + Math.ceil(statSync(join(entry.parentPath, entry.name)).size / 4096) * 4096;
  }, 0);
}
