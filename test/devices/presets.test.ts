import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import ffmpeg from "../../devices/ffmpeg.js";
import httpStill from "../../devices/http-still.js";
import microphone from "../../devices/microphone.js";
import rtsp from "../../devices/rtsp.js";
import v4l2 from "../../devices/v4l2.js";
import { isSenseError } from "../../src/core/errors.js";
import { seeded } from "../../src/core/random.js";
import type { Block, Frame, Reading } from "../../src/core/reading.js";
import { hz, micros } from "../../src/core/time.js";
import { type PhysicalOptions, physical } from "../../src/device/physical.js";
import { SampleClock } from "../../src/device/sample-clock.js";
import { checkSound } from "../../src/device/sound-check.js";
import { deviceContract } from "../../src/testing/device-contract.js";
import { readDevice } from "../support/device.js";
import { hasTool } from "../support/tools.js";

const jpeg = readFileSync(new URL("../golden/decode/rgb.jpg", import.meta.url));
const refusal = (error: unknown): string => (isSenseError(error) ? `${error.code}: ${error.message}` : String(error));

describe("http-still", () => {
  let server: Server | undefined;
  afterEach(() => void server?.close());
  const serve = async (answer: (count: number) => { status?: number; body: Uint8Array | string }): Promise<string> => {
    let count = 0;
    server = createServer((_, response) => {
      const { status = 200, body } = answer(count++);
      response.writeHead(status).end(body);
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    return `http://board:secret@127.0.0.1:${(server.address() as AddressInfo).port}/snap`.replace("board:secret@", "");
  };

  test("it keeps the contract of a device", async () => {
    const url = await serve(() => ({ body: jpeg }));
    for (const { check } of deviceContract(httpStill, { options: { url, every: "5ms" } })) await check();
  });

  test("an answer that is no picture, an error and a camera that is off are told apart", async () => {
    const fetchOnce = (url: string) => readDevice(httpStill, { options: { url }, count: 1 }).catch(refusal);
    expect(await fetchOnce(await serve(() => ({ body: "<html>" })))).toMatch(/DEVICE_FAILED.*neither JPEG/);
    const off = await serve(() => ({ status: 503, body: "" }));
    expect(await fetchOnce(off)).toMatch(/DEVICE_FAILED.*503/);
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    expect(await fetchOnce(off)).toMatch(/DEVICE_ABSENT.*ECONNREFUSED/);
  });
});

describe("microphone", () => {
  const path = process.env.PATH;
  afterEach(() => {
    process.env.PATH = path;
  });
  /** Stands for ALSA's recorder: writes what it was called with, then samples for ever. */
  const install = (script: string): string => {
    const folder = mkdtempSync(join(tmpdir(), "arecord-"));
    writeFileSync(join(folder, "arecord"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "arecord"), 0o755);
    process.env.PATH = `${folder}:${path}`;
    return folder;
  };
  const options = { via: "arecord", device: "plughw:1,0", channels: 2, block: "10ms" };
  const tone = 'while :; do printf "\\000\\100\\000\\300\\001"; printf "\\000\\377\\177"; done';

  test("it keeps the contract of a device", async () => {
    install(tone);
    for (const { check } of deviceContract(microphone, { options })) await check();
  });

  test("samples come out whole and in order, however the recorder cuts them", async () => {
    const folder = install(`echo "$@" > "$(dirname "$0")/called"\n${tone}`);
    const { readings } = await readDevice(microphone, { options, count: 3 });
    const block = readings[2] as Block;
    expect(block).toMatchObject({ channels: ["left", "right"], rate: 16000 });
    expect([...block.data.slice(0, 4)]).toEqual([0.5, -0.5, 1 / 32768, 32767 / 32768].map(Math.fround));
    expect(readFileSync(join(folder, "called"), "utf8")).toMatch(/-D plughw:1,0 -f S16_LE -r 16000 -c 2/);
  });

  test("a recorder that fails is DEVICE_FAILED with its words", async () => {
    install('echo "audio open error: Device or resource busy" >&2; exit 1');
    expect(refusal(await readDevice(microphone, { options }).catch((e: unknown) => e))).toMatch(/resource busy/);
  });

  test("a stretch that the recorder lost is counted in samples, and what follows is at its own time", () => {
    const count = new SampleClock(16_000);
    const times: number[] = [];
    const random = seeded(3);
    for (let block = 0; block < 400; block++) {
      // 20 ms a block, up to 15 ms late; from the 200th on 300 ms are missing.
      const taken = (block + 1) * 20_000 + (block >= 200 ? 300_000 : 0);
      times.push(count.next(320, micros(Math.round(5e15 + taken + random() * 15_000))));
    }
    expect(count.lost).toBeGreaterThan(0.95 * 4800);
    expect(count.lost).toBeLessThan(1.05 * 4800);
    expect(times[199]).toBe(199 * 20_000);
    expect(Math.abs(times[399]! - (399 * 20_000 + 300_000))).toBeLessThan(15_000);
  });

  test("a recorder that stands still for two seconds and then gives everything has lost nothing", () => {
    const count = new SampleClock(16_000);
    for (let block = 0; block < 400; block++) {
      const taken = (block + 1) * 20_000;
      const arrival = taken > 3e6 && taken < 5e6 ? 5e6 : taken;
      count.next(320, micros(arrival));
    }
    expect(count.lost).toBe(0);
  });

  test.skipIf(!hasTool("ffmpeg"))("a gap in a stream's own timestamps is counted to the sample", async () => {
    // Packets of 1024 samples, of which the 10th to the 14th are missing.
    const input = "sine=samples_per_frame=1024,aselect='not(between(n,10,14))'";
    const options = { format: "lavfi", input, modality: "audio", inputOptions: { re: true } };
    const { facts } = await readDevice(ffmpeg, { options, count: 20 });
    expect(facts.lost).toBe(5 * 1024);
  });

  test("clipping and silence are told, and their end too", async () => {
    const block = (value: number): Reading => ({
      ...{ kind: "block", modality: "audio", channels: ["mono"], rate: hz(100), time: micros(0) },
      data: new Float32Array(100).fill(value),
    });
    async function* sound(): AsyncGenerator<Reading> {
      yield block(1);
      for (let i = 0; i < 12; i++) yield block(1e-6);
      yield block(0.1);
    }
    const notes: unknown[] = [];
    for await (const _ of checkSound(sound(), ({ note }) => void notes.push(note)));
    expect(notes).toEqual(["the sound is clipped: lower the gain", "", "the microphone is silent", ""]);
  });
});

describe("physical values", () => {
  const raw = (modality: "depth" | "thermal", ...values: number[]): Reading => ({
    ...{ kind: "frame", modality, format: "gray16", width: values.length, height: 1, time: micros(0) },
    data: Uint16Array.from(values),
  });
  const through = async (frames: Reading[], more: PhysicalOptions = {}): Promise<Frame[]> => {
    const found: Frame[] = [];
    for await (const frame of physical(toAsync(frames), { unit: 0.00025, ...more })) found.push(frame as Frame);
    return found;
  };
  async function* toAsync<T>(values: readonly T[]): AsyncGenerator<T> {
    yield* values;
  }

  test("depth steps become metres, no reading NaN", async () => {
    const [frame] = await through([raw("depth", 0, 4000)]);
    expect([frame!.format, ...frame!.data]).toEqual(["float32", Number.NaN, 1]);
  });

  test("depth frames carry the intrinsics of their sensor, for the size that they were scaled to", async () => {
    const intrinsics = { width: 4, height: 2, fx: 8, fy: 6, cx: 1.5, cy: 0.5 };
    const [frame] = await through([raw("depth", 1000, 2000)], { intrinsics });
    // Half as wide and half as high: the centre of the picture stays its centre.
    expect(frame!.intrinsics).toEqual({ width: 2, height: 1, fx: 4, fy: 3, cx: 0.5, cy: 0 });
    expect((await through([raw("thermal", 1)], { intrinsics }))[0]!.intrinsics).toBeUndefined();
  });

  test("thermal steps become °C where they are known, and frames that a shutter repeats are dropped", async () => {
    const frames = [raw("thermal", 29815, 30000), raw("thermal", 29815, 30000), raw("thermal", 29816, 30000)];
    const notes: unknown[] = [];
    const tell = ({ note }: { note?: string }): void => void notes.push(note);
    const found = await through(frames, { radiometry: "centikelvin", tell });
    expect(found).toHaveLength(2);
    expect(found[0]!.data[0]).toBeCloseTo(25, 4);
    expect(notes).toEqual(["1 repeated frames dropped (shutter)"]);
    expect((await through([raw("thermal", 7)]))[0]!.format).toBe("gray16");
  });
});

/** Puts a program before the real one: it notes its arguments, changes them as sed says, and becomes the real one. */
function disguise(program: string, changes: string): () => string {
  const real = execFileSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).trim();
  const folder = mkdtempSync(join(tmpdir(), "disguise-"));
  writeFileSync(join(folder, "changes"), changes);
  const script = [
    "#!/bin/bash",
    `printf '%s\\n' "$@" > ${folder}/called`,
    `mapfile -t args < <(sed -E -f ${folder}/changes ${folder}/called)`,
    `exec ${real} "$\{args[@]}"`,
  ].join("\n");
  writeFileSync(join(folder, program), script);
  chmodSync(join(folder, program), 0o755);
  process.env.PATH = `${folder}:${process.env.PATH}`;
  return () => readFileSync(join(folder, "called"), "utf8").replaceAll("\n", " ");
}

describe("cameras that are known by name", () => {
  const path = process.env.PATH;
  const device = new URL(import.meta.url).pathname;
  afterEach(() => {
    process.env.PATH = path;
  });

  test.skipIf(!hasTool("ffmpeg")).each(["realsense", "orbbec"])(
    "%s: Z16 becomes metres, 0 is NaN, intrinsics go along",
    async (preset) => {
      const source = "nullsrc=size=640x480:rate=30,format=gray16le,geq=lum='if(lt(X\\,320)\\,0\\,1500)'";
      const called = disguise(
        "ffmpeg",
        `s#^v4l2$#lavfi#; s#^${device}$#${source}#; /^-video_size$/,+1d; /^-framerate$/,+1d`,
      );
      const intrinsics = { width: 1280, height: 960, fx: 1000, fy: 1000, cx: 639.5, cy: 479.5 };
      const { readings } = await readDevice(v4l2, { options: { device, preset, intrinsics }, count: 1 });
      const frame = readings[0] as Frame;
      expect(called()).toMatch(/-f v4l2 -video_size 640x480 -framerate 30 -i /);
      expect(frame).toMatchObject({ modality: "depth", format: "float32", width: 640, height: 480 });
      expect([frame.data[0], frame.data[639]]).toEqual([Number.NaN, Math.fround(1.5)]);
      expect(frame.intrinsics).toMatchObject({ width: 640, fx: 500, cx: 319.5 });
    },
  );

  const gst = test.skipIf(!hasTool("gst-launch-1.0"));
  gst.each([
    ["lepton", 160, 120, "float32"],
    ["lepton-raw", 160, 120, "gray16"],
    ["seek", 320, 240, "gray16"],
  ])("%s: Y16 as °C where it is radiometric, raw counts where it is not", async (preset, width, height, format) => {
    const called = disguise("gst-launch-1.0", "s#^v4l2src$#videotestsrc#; s#^device=.*$#is-live=true#");
    const { readings } = await readDevice(v4l2, { options: { device, preset, width, height }, count: 1 });
    expect(called()).toMatch(/v4l2src device=.*format=GRAY16_LE/);
    expect(readings[0]).toMatchObject({ modality: "thermal", format, width, height });
    const data = readings[0]!.data as Float32Array;
    if (format === "float32") expect(Math.max(...data)).toBeCloseTo(0xebeb / 100 - 273.15, 1);
  });

  gst("infiray: the counts below the picture, under the name of YUYV, become °C", async () => {
    // Luma 235 and chroma 128 of white: the bytes eb 80, 0x80eb as a count.
    disguise("gst-launch-1.0", "s#^v4l2src$#videotestsrc#; s#^device=.*$#pattern=white#");
    const { readings } = await readDevice(v4l2, { options: { device, preset: "infiray" }, count: 1 });
    const frame = readings[0] as Frame;
    expect(frame).toMatchObject({ modality: "thermal", format: "float32", width: 256, height: 192 });
    expect(frame.data[0]).toBeCloseTo(0x80eb / 64 - 273.15, 3);
  });

  gst("oak-d: NV12 becomes RGB", async () => {
    const called = disguise("gst-launch-1.0", "s#^v4l2src$#videotestsrc#; s#^device=.*$#is-live=true#");
    const options = { device, preset: "oak-d", width: 64, height: 48 };
    const { readings } = await readDevice(v4l2, { options, count: 1 });
    expect(called()).toMatch(/format=NV12,width=64,height=48,framerate=30\/1/);
    expect(readings[0]).toMatchObject({ modality: "vision", format: "rgb8", width: 64, height: 48 });
  });
});

test("a camera that is not plugged in is DEVICE_ABSENT", async () => {
  const options = { device: "/dev/video99" };
  expect(refusal(await readDevice(v4l2, { options }).catch((e: unknown) => e))).toMatch(/DEVICE_ABSENT.*video99/);
});

test.skipIf(!hasTool("ffmpeg"))("the password of a network camera is in no error", async () => {
  const url = "rtsp://admin:hunter2@127.0.0.1:9/stream";
  const error = await readDevice(rtsp, { options: { url } }).catch((e: unknown) => e);
  expect(isSenseError(error, "DEVICE_FAILED") && `${error.message} ${error.hint}`).not.toMatch(/hunter2/);
});
