import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { McapIndexedReader } from "@mcap/core";
import { FileHandleReadable } from "@mcap/nodejs";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { isSenseError } from "../../src/core/errors.js";
import type { SensorReading } from "../../src/core/reading.js";
import { encodeReading } from "../../src/core/recording.js";
import { hz, micros } from "../../src/core/time.js";
import { recordReadings } from "../../src/device/record.js";
import { type ReplayReport, recordedSensors, replayReadings } from "../../src/device/replay.js";

const folder = mkdtempSync(join(tmpdir(), "recording-"));
const sensors = {
  cam: { modality: "vision", device: "files" },
  imu0: { modality: "imu", device: "serial" },
} as const;

const readings = (count: number): SensorReading[] =>
  Array.from({ length: count }, (_, i) =>
    i % 2 === 0
      ? {
          sensor: "cam",
          seq: i / 2,
          reading: {
            kind: "encoded",
            modality: "vision",
            time: micros(1000 * i),
            mime: "image/jpeg",
            data: new Uint8Array(5000).fill(i),
          },
        }
      : {
          sensor: "imu0",
          seq: (i - 1) / 2,
          reading: {
            kind: "block",
            modality: "imu",
            time: micros(1000 * i),
            channels: ["ax", "ay", "az", "gx", "gy", "gz"],
            rate: hz(100),
            data: new Float32Array(60).fill(i + 0.5),
          },
        },
  );

/** A reading in a line: comparing big arrays element by element takes seconds. */
const digest = ({ sensor, seq, reading }: SensorReading): string =>
  `${sensor} ${seq} ${reading.time} ${createHash("sha1").update(encodeReading(reading)).digest("hex")}`;

async function replay(path: string, options = {}): Promise<{ readings: SensorReading[]; report: ReplayReport }> {
  let report: ReplayReport | undefined;
  const found: SensorReading[] = [];
  const onReport = (r: ReplayReport): void => {
    report = r;
  };
  for await (const reading of replayReadings(path, { ...options, report: onReport })) found.push(reading);
  return { readings: found, report: report! };
}

async function record(name: string, count: number): Promise<string> {
  const path = join(folder, name);
  await using recorder = await recordReadings(path, { node: "board", sensors });
  await Promise.all(readings(count).map((reading) => recorder.write(reading)));
  return path;
}

test("a recording gives back what went in, in order, of one sensor if asked, and says what its sensors are", async () => {
  const path = await record("whole.mcap", 1000);
  const { readings: found, report } = await replay(path);
  expect(found.map(digest)).toEqual(readings(1000).map(digest));
  expect(report).toEqual({ readings: 1000, skipped: 0, damage: undefined });
  expect((await replay(path, { sensor: "imu0" })).report.readings).toBe(500);
  expect(await recordedSensors(path)).toEqual(sensors);
});

test("a finished recording is indexed: the MCAP library seeks in it by sensor and event time", async () => {
  const handle = await open(await record("indexed.mcap", 1000));
  const reader = await McapIndexedReader.Initialize({ readable: new FileHandleReadable(handle) });
  expect(reader.statistics?.messageCount).toBe(1000n);
  expect(reader.chunkIndexes.length).toBeGreaterThan(1);
  const times: bigint[] = [];
  const wanted = { topics: ["sensor/imu0"], startTime: 900_000_000n, endTime: 910_000_000n };
  for await (const message of reader.readMessages(wanted)) times.push(message.logTime);
  expect(times).toEqual([901n, 903n, 905n, 907n, 909n].map((ms) => ms * 1_000_000n));
  const [metadata] = reader.metadataIndexes;
  expect(metadata?.name).toBe("sensebind");
  await handle.close();
});

test("a recording cut off anywhere gives the readings before the cut, and says how much is lost", async () => {
  const path = await record("cut.mcap", 1000);
  const whole = readFileSync(path);
  const expected = readings(1000).map(digest);
  for (const share of [0.95, 0.6, 0.41, 0.4]) {
    truncateSync(path, Math.floor(whole.length * share));
    const { readings: found, report } = await replay(path);
    expect(found.length).toBeGreaterThan(200);
    expect(found.map(digest)).toEqual(expected.slice(0, found.length));
    expect(report.damage?.reason).toMatch(/ends in the middle/);
    expect(report.damage?.lost).toBeGreaterThan(0);
  }
});

test("a flipped bit costs the chunk it is in, not what came before or comes after", async () => {
  const path = await record("flipped.mcap", 1000);
  const bytes = readFileSync(path);
  bytes[Math.floor(bytes.length * 0.5)]! ^= 1;
  writeFileSync(path, bytes);
  const { readings: found, report } = await replay(path);
  const expected = new Set(readings(1000).map(digest));
  expect(found.every((reading) => expected.has(digest(reading)))).toBe(true);
  expect(digest(found.at(-1)!)).toBe(digest(readings(1000).at(-1)!));
  expect(1000 - found.length).toBeGreaterThan(0);
  expect(report.damage?.reason).toMatch(/CRC/);
  expect(report.damage?.lost).toBeLessThan(1.2 * 2 ** 20);
});

test("no damage makes a replay crash, hang or invent a reading", async () => {
  const path = await record("damaged.mcap", 40);
  const whole = readFileSync(path);
  const expected = new Set(readings(40).map(digest));
  // The head names the sensors and has no checksum: a changed name is a changed name.
  const at = fc.integer({ min: 3000, max: whole.length - 1 });
  const damage = fc.array(fc.tuple(at, fc.nat(255)), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(damage, fc.integer({ min: 1, max: whole.length }), async (changes, length) => {
      const bytes = Uint8Array.from(whole.subarray(0, length));
      for (const [at, value] of changes) if (at < length) bytes[at] = value;
      writeFileSync(path, bytes);
      const result = await replay(path).catch((e: unknown) => e);
      if (result instanceof Error) expect(isSenseError(result, "BAD_RECORDING")).toBe(true);
      else
        for (const reading of (result as { readings: SensorReading[] }).readings)
          expect(expected).toContain(digest(reading));
    }),
    { numRuns: 60 },
  );
});

test.each([
  ["a text", "this is no recording, whatever its name says"],
  ["an empty file", ""],
  ["the first bytes of one", "\x89MCAP0\r\n"],
])("%s is BAD_RECORDING", async (_, content) => {
  const path = join(folder, "bad.mcap");
  writeFileSync(path, content, "latin1");
  expect(isSenseError(await replay(path).catch((e: unknown) => e), "BAD_RECORDING")).toBe(true);
  expect(isSenseError(await recordedSensors(path).catch((e: unknown) => e), "BAD_RECORDING")).toBe(true);
});

test("a missing file is FILE_UNREADABLE, a folder that does not exist FILE_UNWRITABLE", async () => {
  const path = join(folder, "none", "x.mcap");
  expect(isSenseError(await replay(path).catch((e: unknown) => e), "FILE_UNREADABLE")).toBe(true);
  const error = await recordReadings(path, { node: "board", sensors }).catch((e: unknown) => e);
  expect(isSenseError(error, "FILE_UNWRITABLE") && error.message).toMatch(/ENOENT/);
});

test("what was written before the last flush is in the file after a kill -9", async () => {
  const path = join(folder, "killed.mcap");
  const written = 200;
  const script = `
    import { recordReadings } from "${new URL("../../src/device/record.ts", import.meta.url)}";
    const about = { node: "board", sensors: ${JSON.stringify(sensors)}, flushEvery: 50_000 };
    const recorder = await recordReadings(${JSON.stringify(path)}, about);
    for (let seq = 0; seq < ${written}; seq++) {
      const data = new Float32Array(6).fill(seq);
      const block = { kind: "block", modality: "imu", time: seq * 10000, channels: ["ax", "ay", "az", "gx", "gy", "gz"], rate: 100, data };
      await recorder.write({ sensor: "imu0", seq, reading: block });
    }
    // Neither finished nor closed: it waits to be killed.
    process.stdin.resume();`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  const exited = once(child, "exit");
  await vi.waitFor(async () => expect((await replay(path).catch(() => undefined))?.readings).toHaveLength(written), {
    timeout: 20_000,
    interval: 20,
  });
  child.kill("SIGKILL");
  await exited;
  const { readings: found, report } = await replay(path);
  expect(found.map(({ seq }) => seq)).toEqual(Array.from({ length: written }, (_, i) => i));
  expect(report.damage).toBeDefined();
});
