import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import files from "../../devices/files.js";
import { isSenseError } from "../../src/core/errors.js";
import { encodeNpy } from "../../src/core/npy.js";
import type { Block, Frame, Reading } from "../../src/core/reading.js";
import { encodeImage } from "../../src/device/decode/sharp.js";
import { deviceContract } from "../../src/testing/device-contract.js";
import { readDevice } from "../support/device.js";
import { hasTool } from "../support/tools.js";

const golden = new URL("../golden/decode/", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "files-"));
mkdirSync(join(folder, "photos/more"), { recursive: true });
for (const [i, name] of ["2.jpg", "10.jpg", "1.jpg", "more/3.jpg"].entries())
  copyFileSync(`${golden}${["rgb", "prog", "l", "exif"][i]}.jpg`, join(folder, "photos", name));
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return name;
};

const begin = Date.UTC(2000, 0, 1) * 1e3;
const times = (readings: readonly Reading[]): number[] => readings.map(({ time }) => (time - begin) / 1e6);
const play = (options: object, context = {}) =>
  readDevice(files, { options: { pace: "fast", ...options }, context: { folder, ...context } });

for (const { promise, check } of deviceContract(files, { options: { path: "photos", pace: "fast" }, folder }))
  test(`files: ${promise}`, check);
for (const { promise, check } of deviceContract(files, {
  options: { path: `${golden}stereo16.flac`, pace: "fast", block: "20ms" },
  folder,
}))
  test(`files with sound: ${promise}`, check);

test("the pictures of a folder come in natural order, still encoded, at the rate asked for", async () => {
  const { readings } = await play({ path: "photos", rate: 4 });
  expect(times(readings)).toEqual([0, 0.25, 0.5]);
  const sizes = readings.map(({ data }) => data.byteLength);
  const { readings: single } = await play({ path: ["photos/1.jpg", "photos/2.jpg", "photos/10.jpg"] });
  expect(single.map(({ data }) => data.byteLength)).toEqual(sizes);
  expect(readings[0]).toMatchObject({ kind: "encoded", modality: "vision", mime: "image/jpeg" });
});

test("a glob, a list with times and folders in folders name files too", async () => {
  expect((await play({ path: "photos/*.jpg" })).readings).toHaveLength(3);
  expect((await play({ path: "photos/**/*.jpg" })).readings).toHaveLength(4);
  expect((await play({ path: "photos", recursive: true })).readings).toHaveLength(4);
  file("list.csv", 'time,camera,other\r\n0.5,photos/1.jpg,x\r\n2,"photos/2.jpg",y\r\n');
  const { readings } = await play({ path: "list.csv", column: "camera", modality: "vision" });
  expect(times(readings)).toEqual([0.5, 2]);
});

test("sound comes in blocks that follow one another to the sample, over the files' ends too", async () => {
  const { readings } = await play({ path: [`${golden}stereo16.flac`, `${golden}stereo16.flac`], block: "50ms" });
  const blocks = readings as Block[];
  expect(blocks[0]).toMatchObject({ modality: "audio", channels: ["left", "right"], rate: 44100 });
  let samples = 0;
  for (const { time, data } of blocks) {
    expect(Math.abs(time - begin - (samples * 1e6) / 44100)).toBeLessThanOrEqual(2);
    samples += data.length / 2;
  }
  expect(samples).toBe(2 * 11025);
});

test("two runs as fast as it goes give the same bytes and times", async () => {
  const run = () => play({ path: ["photos"], rate: 3, loop: false });
  expect((await run()).readings).toEqual((await run()).readings);
});

test("an inertial CSV keeps its times: no block reaches over a gap", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `${i / 100 + (i >= 25 ? 3 : 0)},${i},0,9.81,0,0,0`);
  file("imu.csv", ["time,ax,ay,az,gx,gy,gz", ...rows].join("\n"));
  const { readings } = await play({ path: "imu.csv" });
  expect(times(readings)).toEqual([0, 0.1, 0.2, 3.25, 3.35]);
  expect((readings as Block[]).map(({ data }) => data.length / 6)).toEqual([10, 10, 5, 10, 5]);
  expect((readings[3] as Block).data[0]).toBe(25);
});

test("raw counts need a scale, and without one that is said", async () => {
  file("raw.npy", encodeNpy({ dims: [2, 6], data: new Int16Array(12).fill(256) }));
  const { readings, warnings } = await play({ path: "raw.npy", rate: 200, scale: 0.00390625 * 9.80665 });
  expect((readings[0] as Block).data[0]).toBeCloseTo(9.80665, 5);
  expect(warnings).toEqual([]);
  expect((await play({ path: "raw.npy", rate: 200 })).warnings).toEqual([
    "raw counts are taken as m/s² and rad/s: set `scale`",
  ]);
});

test("depth is metres, thermal is °C where its steps are known", async () => {
  const png = await encodeImage({ width: 2, height: 1, channels: 1, depth: 16, data: Uint16Array.of(0, 29815) });
  file("steps.png", png);
  const depth = (await play({ path: "steps.png", modality: "depth" })).readings[0] as Frame;
  expect([...depth.data]).toEqual([Number.NaN, Math.fround(29.815)]);
  const thermal = await play({ path: "steps.png", radiometry: "centikelvin" }, { modality: "thermal" });
  expect((thermal.readings[0] as Frame).data[1]).toBeCloseTo(25, 4);
});

test("a corrupt file among others is counted and leaves its gap; nothing but corrupt files is an error", async () => {
  file("bad.jpg", "this is no picture");
  const { readings, facts, warnings } = await play({ path: ["photos/1.jpg", "bad.jpg", "photos/2.jpg"] });
  expect(times(readings)).toEqual([0, 2]);
  expect([facts.corrupt, warnings.length]).toEqual([1, 1]);
  const error = await play({ path: "bad.jpg" }).catch((e: unknown) => e);
  expect(isSenseError(error, "BAD_IMAGE")).toBe(true);
  const short = await play({ path: ["photos"], modality: "audio" }).catch((e: unknown) => e);
  expect(isSenseError(short, "FILE_UNREADABLE")).toBe(true);
});

test("in real time a frame comes at its time, and times are now", async () => {
  const from = Date.now() * 1e3;
  const { readings } = await play({ path: "photos", rate: 20, pace: "realtime" });
  expect(Date.now() * 1e3 - from).toBeGreaterThanOrEqual(99_000);
  expect(readings[0]!.time - from).toBeLessThan(1_000_000);
  expect(readings[2]!.time - readings[0]!.time).toBe(100_000);
});

test.skipIf(!hasTool("ffmpeg"))("a video gives its frames with their own times", async () => {
  const { execFileSync } = await import("node:child_process");
  const path = join(folder, "clip.mkv");
  const source = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=25", "-frames:v", "10"];
  execFileSync("ffmpeg", ["-v", "error", ...source, "-c:v", "ffv1", path]);
  const { readings } = await play({ path: "clip.mkv" });
  expect(times(readings)).toEqual(Array.from({ length: 10 }, (_, i) => i * 0.04));
  expect(readings[0]).toMatchObject({ kind: "frame", format: "rgb8", width: 64, height: 48 });
});

test("looping goes on without a gap until told to stop", async () => {
  const options = { path: "photos", rate: 2, loop: true, pace: "fast" };
  const { readings } = await readDevice(files, { options, count: 7, context: { folder } });
  expect(times(readings)).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3]);
});
