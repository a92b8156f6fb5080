import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test, vi } from "vitest";
import ffmpeg from "../../devices/ffmpeg.js";
import gstreamer from "../../devices/gstreamer.js";
import { isSenseError } from "../../src/core/errors.js";
import { silent } from "../../src/core/log.js";
import type { Block, Frame } from "../../src/core/reading.js";
import { s } from "../../src/core/time.js";
import { splitWords } from "../../src/device/gstreamer.js";
import type { SensorHealth } from "../../src/device/health.js";
import { supervise } from "../../src/device/supervise.js";
import { deviceContract } from "../../src/testing/device-contract.js";
import { readDevice, wallClock } from "../support/device.js";
import { processesOf } from "../support/processes.js";
import { hasTool } from "../support/tools.js";

const steps = (readings: readonly { time: number }[]): number[] =>
  readings.slice(1).map(({ time }, i) => (time - readings[i]!.time) / 1e3);

const size = "width=51,height=20,framerate=20/1";
const picture = { pipeline: `videotestsrc is-live=true pattern=white ! video/x-raw,${size}` };
const tone = { pipeline: "audiotestsrc is-live=true samplesperbuffer=320", modality: "audio", rate: 16000 };
const lavfi = { format: "lavfi", input: "testsrc=size=50x20:rate=20", inputOptions: { re: true } };

describe.skipIf(!hasTool("gst-launch-1.0"))("gstreamer", () => {
  for (const { promise, check } of deviceContract(gstreamer, { options: picture })) test(promise, check);

  test("frames keep the pipeline's timestamps, whatever the moment they arrive at", async () => {
    const { readings, facts } = await readDevice(gstreamer, { options: picture, count: 12 });
    for (const step of steps(readings.slice(4))) expect(Math.abs(step - 50)).toBeLessThan(15);
    expect(Math.abs(readings.at(-1)!.time - Date.now() * 1e3)).toBeLessThan(500_000);
    expect(facts.clock?.source).toBe("device");
  });

  test("rows lose the padding that GStreamer gives them", async () => {
    const { readings } = await readDevice(gstreamer, { options: picture, count: 1 });
    const frame = readings[0] as Frame;
    expect([frame.width, frame.height, frame.data.length]).toEqual([51, 20, 3060]);
    expect(frame.data.every((value) => value === 255)).toBe(true);
  });

  test("sound is float32, its blocks follow one another by their sample count", async () => {
    const { readings } = await readDevice(gstreamer, { options: tone, count: 20 });
    const blocks = readings as Block[];
    expect(blocks[0]).toMatchObject({ channels: ["mono"], rate: 16000 });
    for (const step of steps(blocks)) expect(Math.abs(step - 20)).toBeLessThan(1.1);
    expect(Math.max(...blocks[3]!.data)).toBeGreaterThan(0.7);
  });

  test("16-bit depth and thermal frames pass unchanged, with °C or metres left to the sensor", async () => {
    const pipeline = "videotestsrc num-buffers=2 ! video/x-raw,format=GRAY16_LE,width=9,height=3";
    const { readings } = await readDevice(gstreamer, { options: { pipeline, modality: "thermal", ends: true } });
    expect(readings).toHaveLength(2);
    expect(readings[0]).toMatchObject({ modality: "thermal", format: "gray16", width: 9, height: 3 });
  });

  test("an end that was not announced is DEVICE_FAILED, a wrong element too, with GStreamer's words", async () => {
    const failure = (pipeline: string) =>
      readDevice(gstreamer, { options: { pipeline } }).catch((e: unknown) =>
        isSenseError(e, "DEVICE_FAILED") ? e.message : e,
      );
    expect(await failure("videotestsrc num-buffers=2")).toMatch(/came to its end/);
    expect(await failure("nosuchelement")).toMatch(/nosuchelement/);
  });

  test("a pipeline that is killed is an error, one that is frozen is stalled; both are started again and go on", async () => {
    const stop = new AbortController();
    const states: string[] = [];
    const onHealth = ({ state }: SensorHealth): void => void states.push(state);
    const options = { pipeline: `videotestsrc is-live=true pattern=snow ! video/x-raw,${size}` };
    const context = { signal: stop.signal, clock: wallClock, log: silent, folder: ".", modality: "vision" as const };
    const supervised = supervise(gstreamer, { sensor: "cam", options, stall: s(1.5), onHealth }, context);
    const running = (async () => {
      for await (const _ of supervised);
    })();
    const until = (state: string) =>
      vi.waitFor(() => expect(states.at(-1)).toBe(state), { timeout: 15_000, interval: 10 });
    await until("ok");
    for (const pid of launched("pattern=snow")) process.kill(pid, "SIGKILL");
    await until("error");
    await until("ok");
    for (const pid of launched("pattern=snow")) process.kill(pid, "SIGSTOP");
    await until("stalled");
    await until("ok");
    stop.abort();
    await running;
    expect(states).toEqual(["ok", "error", "ok", "stalled", "ok"]);
    expect(supervised.health.reopened).toBe(2);
    await vi.waitFor(() => expect(launched("pattern=snow")).toEqual([]), { timeout: 8000, interval: 50 });
  });

  test("after a kill -9 of this process the pipeline is gone, even one that was frozen", async () => {
    const script = `
      import gstreamer from "${new URL("../../devices/gstreamer.ts", import.meta.url)}";
      const context = { signal: new AbortController().signal, clock: { now: () => Date.now() * 1e3 }, folder: ".", log: {} };
      const options = gstreamer.options.parse(${JSON.stringify({ pipeline: "videotestsrc is-live=true pattern=ball" })});
      for await (const _ of gstreamer.readings(options, context)) console.log("frame");`;
    const tsconfig = new URL("../../tsconfig.json", import.meta.url).pathname;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, TSX_TSCONFIG_PATH: tsconfig },
    });
    await once(child.stdout, "data");
    const frozen = launched("pattern=ball");
    expect(frozen.length).toBeGreaterThan(0);
    for (const pid of frozen) process.kill(pid, "SIGSTOP");
    child.kill("SIGKILL");
    await vi.waitFor(() => expect(launched("pattern=ball")).toEqual([]), { timeout: 8000, interval: 50 });
  });
});

describe.skipIf(!hasTool("ffmpeg"))("ffmpeg", () => {
  for (const { promise, check } of deviceContract(ffmpeg, { options: lavfi })) test(promise, check);

  test("frames keep their timestamps, scaled at the source", async () => {
    const options = { ...lavfi, width: 24, height: 10 };
    const { readings } = await readDevice(ffmpeg, { options, count: 10 });
    expect(readings[0]).toMatchObject({ kind: "frame", format: "rgb8", width: 24, height: 10 });
    for (const step of steps(readings.slice(3))) expect(Math.abs(step - 50)).toBeLessThan(15);
  });

  test("an input with an end gives every frame at its own time, none repeated", async () => {
    const input = "testsrc=size=50x20:rate=20:duration=0.5,select='not(eq(n\\,3))'";
    const options = { format: "lavfi", input, ends: true };
    const { readings } = await readDevice(ffmpeg, { options });
    const [{ time: start }] = readings as [Frame];
    expect(Math.abs(start - wallClock.now())).toBeLessThan(10_000_000);
    expect(readings.map(({ time }) => (time - start) / 1e3)).toEqual([0, 50, 100, 200, 250, 300, 350, 400, 450]);
  });

  test("JPEG frames and stereo sound are passed on", async () => {
    const jpeg = await readDevice(ffmpeg, { options: { ...lavfi, encode: "jpeg" }, count: 1 });
    expect(jpeg.readings[0]).toMatchObject({ kind: "encoded", mime: "image/jpeg" });
    expect([...jpeg.readings[0]!.data.slice(0, 2)]).toEqual([0xff, 0xd8]);
    const options = { format: "lavfi", input: "sine=d=0.2", modality: "audio", rate: 16000, channels: 2, ends: true };
    const { readings } = await readDevice(ffmpeg, { options });
    const samples = readings.reduce((sum, { data }) => sum + data.length, 0);
    expect(readings[0]).toMatchObject({ channels: ["left", "right"], rate: 16000 });
    expect(samples).toBe(6400);
  });

  test("an input that is not there is DEVICE_FAILED with ffmpeg's words", async () => {
    const error = await readDevice(ffmpeg, { options: { input: "/no/such/file" } }).catch((e: unknown) => e);
    expect(isSenseError(error, "DEVICE_FAILED") && error.message).toMatch(/No such file/);
  });
});

test("a pipeline is split into words as a shell does, and an open quote is refused", () => {
  expect(splitWords(`a ! b caps="x, y=1" ! c d='1 2' e\\ f`)).toEqual([
    "a",
    "!",
    "b",
    "caps=x, y=1",
    "!",
    "c",
    "d=1 2",
    "e f",
  ]);
  for (const wrong of ["", "  ", 'a "b', "a 'b"]) expect(() => splitWords(wrong)).toThrow(/open quote/);
});

const launched = (words: string): number[] => processesOf("gst-launch-1.0", words);
