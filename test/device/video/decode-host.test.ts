import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import ffmpegDevice from "../../../devices/ffmpeg.js";
import gstreamer from "../../../devices/gstreamer.js";
import rtsp from "../../../devices/rtsp.js";
import { isSenseError } from "../../../src/core/errors.js";
import { silent } from "../../../src/core/log.js";
import type { Frame } from "../../../src/core/reading.js";
import type { DeviceContext, DeviceFacts } from "../../../src/device/define.js";
import { ffmpegUnits } from "../../../src/device/ffmpeg.js";
import { type DecodeOptions, decodeVideo } from "../../../src/device/video/decode-host.js";
import { codecOf, isKeyUnit, parameterSets } from "../../../src/device/video/h264.js";
import type { VideoUnit } from "../../../src/device/video/unit.js";
import { main } from "../../cli/spawn.js";
import { readDevice, wallClock } from "../../support/device.js";
import { processesOf } from "../../support/processes.js";
import { startRtspCamera } from "../../support/rtsp.js";
import { hasTool } from "../../support/tools.js";

const folder = mkdtempSync(join(tmpdir(), "h264-"));
const film = join(folder, "film.mp4");
/** 120 pictures at 25 a second, a key frame every 20, as a camera sends them. */
const count = 120;
const keyEvery = 20;
const units: VideoUnit[] = [];

const isInstalled = ((): boolean => {
  try {
    createRequire(import.meta.url).resolve("node-webcodecs");
    return true;
  } catch {
    return false;
  }
})();
const decoders = [
  { decoder: "ffmpeg", program: "ffmpeg", marker: (w: number, h: number) => `scale=${w}:${h}`, there: true },
  {
    decoder: "node-webcodecs",
    program: "node",
    marker: (w: number, h: number) => `node-webcodecs.js ${w} ${h}`,
    there: isInstalled,
  },
].filter(({ there }) => there);

const contextWith = (tell: (facts: DeviceFacts) => void): DeviceContext => ({
  ...{ signal: new AbortController().signal, clock: wallClock, log: silent, folder: ".", tell },
});

/** Decodes the units; `during` is awaited before each. */
async function decode(options: DecodeOptions, during: (index: number) => Promise<void> | void = () => {}) {
  let facts: DeviceFacts = {};
  const context = contextWith((more) => {
    facts = { ...facts, ...more };
  });
  const frames: Frame[] = [];
  async function* source(): AsyncGenerator<VideoUnit> {
    for (const [i, unit] of units.entries()) {
      await during(i);
      yield unit;
    }
  }
  const found = { frames, facts: () => facts };
  for await (const frame of decodeVideo(source, options, context)) frames.push(frame);
  return found;
}

beforeAll(async () => {
  if (!hasTool("ffmpeg")) return;
  const coder = [
    "-c:v",
    "libx264",
    "-profile:v",
    "baseline",
    "-pix_fmt",
    "yuv420p",
    "-g",
    String(keyEvery),
    "-sc_threshold",
    "0",
  ];
  const input = ["-f", "lavfi", "-i", `testsrc=size=320x240:rate=25:duration=${count / 25}`];
  execFileSync("ffmpeg", ["-v", "error", "-y", ...input, ...coder, film]);
  for await (const unit of ffmpegUnits(
    { input: ["-i", film], modality: "vision", ends: true },
    contextWith(() => {}),
  )) {
    units.push(unit);
  }
});

describe.skipIf(!hasTool("ffmpeg"))("a stream of H.264", () => {
  test("is cut into its pictures, each key frame with what a decoder needs to begin", () => {
    expect(units).toHaveLength(count);
    const keys = units.flatMap(({ data }, i) => (isKeyUnit(data) ? [i] : []));
    expect(keys).toEqual(Array.from({ length: count / keyEvery }, (_, k) => k * keyEvery));
    for (const key of keys) expect(parameterSets(units[key]!.data)).toBeDefined();
    // Constrained baseline of level 1.3: profile_idc 66.
    expect(codecOf(units[0]!.data)).toMatch(/^avc1\.42/);
    expect(codecOf(units[1]!.data)).toBeUndefined();
  });

  describe.each(decoders)("decoded by $decoder", ({ decoder, program, marker }) => {
    test("gives every picture, in order, with its own time and scaled", async () => {
      const { frames, facts } = await decode({ decoder, size: { width: 64, height: 48 }, ends: true });
      expect(frames.map(({ time }) => time)).toEqual(units.map(({ time }) => time));
      expect(frames[0]).toMatchObject({ kind: "frame", modality: "vision", format: "rgb8", width: 64, height: 48 });
      expect(frames.every(({ data }) => data.length === 64 * 48 * 3)).toBe(true);
      expect(facts()).toMatchObject({ decoder });
      expect(facts().lost ?? 0).toBe(0);
    });

    test.each([
      ["killed", "SIGKILL", 80],
      ["frozen", "SIGSTOP", 96],
    ] as const)(
      "goes on at the next key frame when its process is %s; what was lost is counted",
      async (_, signal, width) => {
        const size = { width, height: 72 };
        const { frames, facts } = await decode({ decoder, size, ends: true }, async (index) => {
          if (index !== 50) return;
          const pids = await vi.waitFor(() => {
            const found = processesOf(program, marker(width, 72));
            expect(found).toHaveLength(1);
            return found;
          });
          for (const pid of pids) process.kill(pid, signal);
        });
        const lost = facts().lost ?? 0;
        expect(lost).toBeGreaterThan(0);
        expect(lost).toBeLessThanOrEqual(2 * keyEvery + 32);
        expect(frames.length + lost).toBe(count);
        const index = new Map(units.map(({ time }, i) => [time, i]));
        const indices = frames.map(({ time }) => index.get(time)!);
        const gap = indices.findIndex((value, i) => value !== i);
        expect(indices[gap]! % keyEvery).toBe(0);
        expect(indices.slice(gap)).toEqual(Array.from({ length: count - indices[gap]! }, (_, i) => indices[gap]! + i));
        expect(processesOf(program, marker(width, 72))).toEqual([]);
      },
    );

    test("is thinned evenly to the rate that is asked for", async () => {
      const { frames } = await decode({ decoder, size: { width: 32, height: 24 }, fps: 10, ends: true });
      expect(frames.length).toBe((count / 25) * 10);
    });

    test("its process ends when the reader leaves", async () => {
      const source = async function* (): AsyncGenerator<VideoUnit> {
        for (;;) yield* units;
      };
      const options = { decoder, size: { width: 48, height: 36 }, ends: true };
      for await (const _ of decodeVideo(
        source,
        options,
        contextWith(() => {}),
      ))
        break;
      await vi.waitFor(() => expect(processesOf(program, marker(48, 36))).toEqual([]), { timeout: 5000 });
    });
  });

  test.skipIf(!isInstalled)(
    "after a kill -9 of this process its decoder is gone, even one that was frozen",
    async () => {
      const options = [
        `input=${film}`,
        "decoder=node-webcodecs",
        "width=56",
        "height=42",
        'inputOptions={"stream_loop":"-1","re":true}',
      ];
      const settings = options.flatMap((option) => ["--set", option]);
      const child = spawn(process.execPath, [main, "probe", "ffmpeg", ...settings, "--duration", "60s"], {
        stdio: "ignore",
      });
      const decoding = (): number[] => processesOf("node", "node-webcodecs.js 56 42");
      await vi.waitFor(() => expect(decoding()).toHaveLength(1), { timeout: 15_000 });
      for (const pid of decoding()) process.kill(pid, "SIGSTOP");
      child.kill("SIGKILL");
      await vi.waitFor(() => expect(decoding()).toEqual([]), { timeout: 8000, interval: 50 });
      await vi.waitFor(() => expect(processesOf("ffmpeg", film)).toEqual([]), { timeout: 8000, interval: 50 });
    },
  );

  test("that comes faster than it is decoded is left until a key frame, never mixed up, if it is live", async () => {
    const { frames, facts } = await decode({ decoder: "ffmpeg", size: { width: 640, height: 480 } });
    expect(frames.length + (facts().lost ?? 0)).toBe(count);
    expect(facts().lost).toBeGreaterThan(0);
  });

  test("a decoder that always dies is DEVICE_FAILED, and says what it died of", async () => {
    const error = await decode({ decoder: "h264_no_such", ends: true }).catch((e: unknown) => e);
    expect(isSenseError(error, "DEVICE_FAILED") && error.message).toMatch(/died \d times in a row: .*h264_no_such/);
  });

  describe("where node-webcodecs has no build", () => {
    afterEach(() => {
      delete process.env.NODE_WEBCODECS_FORCE;
    });

    test("ffmpeg decodes instead, and the status says so and why", async () => {
      process.env.NODE_WEBCODECS_FORCE = "source";
      const { frames, facts } = await decode({ decoder: "node-webcodecs", ends: true });
      expect(frames).toHaveLength(count);
      expect(facts().decoder).toMatch(/^ffmpeg, as node-webcodecs cannot: \w/);
    });
  });

  test.skipIf(!isInstalled)("the ffmpeg adapter hands it to node-webcodecs by name", async () => {
    const options = { input: film, decoder: "node-webcodecs", width: 64, height: 48, ends: true };
    const { readings, facts } = await readDevice(ffmpegDevice, { options });
    expect(readings).toHaveLength(count);
    expect(facts.decoder).toBe("node-webcodecs");
  });

  test.each([...decoders.map(({ decoder }) => decoder), "h264"])(
    "a network camera is read over RTSP and decoded by %s",
    async (decoder) => {
      await using camera = await startRtspCamera(
        units.map(({ data }) => data),
        { fps: 25 },
      );
      const options = { url: camera.url, decoder, width: 64, height: 36, fps: 10 };
      const { readings, facts } = await readDevice(rtsp, { options, count: 20 });
      expect(readings[0]).toMatchObject({ kind: "frame", modality: "vision", format: "rgb8", width: 64, height: 36 });
      expect(facts.decoder).toBe(decoder === "h264" ? "ffmpeg (h264)" : decoder);
      expect(facts.clock?.source).toBe("device");
      for (const { time } of readings) expect(Math.abs(time - wallClock.now())).toBeLessThan(10_000_000);
      const span = (readings.at(-1)!.time - readings[9]!.time) / 1e6;
      expect(Math.abs(10 / span - 10)).toBeLessThan(2);
    },
  );

  test.skipIf(!hasTool("gst-launch-1.0"))("a GStreamer pipeline of H.264 is decoded by name too", async () => {
    const { writeFileSync } = await import("node:fs");
    for (const [i, { data }] of units.entries()) writeFileSync(join(folder, `unit${String(i).padStart(4, "0")}`), data);
    const caps = "video/x-h264,stream-format=(string)byte-stream,alignment=(string)au,framerate=25/1";
    const pipeline = `multifilesrc location=${folder}/unit%04d stop-index=${count - 1} caps="${caps}"`;
    const { readings, facts } = await readDevice(gstreamer, { options: { pipeline, decoder: "ffmpeg", ends: true } });
    expect(readings).toHaveLength(count);
    expect(readings[0]).toMatchObject({ width: 320, height: 240 });
    expect(facts.decoder).toBe("ffmpeg");
  });
});
