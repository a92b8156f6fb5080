import { mkdtempSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import ffmpeg from "../../devices/ffmpeg.js";
import files from "../../devices/files.js";
import gstreamer from "../../devices/gstreamer.js";
import httpStill from "../../devices/http-still.js";
import iio from "../../devices/iio.js";
import mqttIn from "../../devices/mqtt-in.js";
import serial from "../../devices/serial.js";
import { isSenseError } from "../../src/core/errors.js";
import { silent } from "../../src/core/log.js";
import type { SensorReading } from "../../src/core/reading.js";
import { s } from "../../src/core/time.js";
import type { Device, DeviceContext } from "../../src/device/define.js";
import type { SensorHealth, SensorState } from "../../src/device/health.js";
import { supervise } from "../../src/device/supervise.js";
import { wallClock } from "../support/device.js";
import { noMosquitto } from "../support/mosquitto.js";
import { ffmpegPlug, gstreamerPlug, httpPlug, iioPlug, mqttPlug, type Plug, serialPlug } from "../support/plugs.js";
import { hasTool } from "../support/tools.js";

interface Kind {
  readonly name: string;
  readonly device: Device<never>;
  readonly modality: DeviceContext["modality"];
  readonly make: () => Promise<Plug>;
  readonly there: boolean;
  /** The state of one that is not plugged in: a program that cannot connect only says that it failed. */
  readonly gone: SensorState;
  /** Readings of a flood: more than may wait, but of a source whose timestamps the program invents, and that is held to their pace. */
  readonly burst: number;
  /** The states on the way there. */
  readonly going: readonly SensorState[];
}

const kinds = [
  { name: "serial", device: serial, modality: "imu", make: serialPlug, there: hasTool("socat"), gone: "absent" },
  {
    name: "gstreamer",
    device: gstreamer,
    modality: "vision",
    make: gstreamerPlug,
    there: hasTool("gst-launch-1.0"),
    gone: "error",
  },
  { name: "ffmpeg", device: ffmpeg, modality: "vision", make: ffmpegPlug, there: hasTool("ffmpeg"), gone: "error" },
  { name: "http-still", device: httpStill, modality: "vision", make: httpPlug, there: true, gone: "absent" },
  { name: "mqtt-in", device: mqttIn, modality: "other", make: mqttPlug, there: !noMosquitto, gone: "absent" },
  // Its reader comes to the end of the fifo; the tree is found missing when it is opened again.
  {
    name: "iio",
    device: iio,
    modality: "imu",
    make: iioPlug,
    there: hasTool("mkfifo"),
    gone: "absent",
    going: ["error"],
  },
].map((kind) => ({ going: [], burst: kind.name === "ffmpeg" ? 60 : 600, ...kind })) as unknown as readonly Kind[];

describe.each(kinds.filter(({ there }) => there))(
  "a session of $name",
  ({ device, modality, make, gone, going, burst }) => {
    test("plugged, frozen, flooded, killed, unplugged and plugged again: states, counts and times are right each time", async () => {
      const plug = await make();
      const states: SensorState[] = [];
      const onHealth = ({ state }: SensorHealth): void => {
        // A reason may change without the state.
        if (state !== states.at(-1)) states.push(state);
      };
      const stop = new AbortController();
      const context = { signal: stop.signal, clock: wallClock, log: silent, folder: ".", modality };
      const options = { sensor: "s0", options: plug.options, stall: s(1.5), onHealth };
      const supervised = supervise(device, options, context);
      const found: SensorReading[] = [];
      /** Of each reading: how long ago it was taken. */
      const delays: number[] = [];
      const running = (async () => {
        for await (const reading of supervised) {
          found.push(reading);
          delays.push(wallClock.now() - reading.reading.time);
        }
      })();
      const until = (check: () => void) => vi.waitFor(check, { timeout: 25_000, interval: 10 });
      const state = (wanted: SensorState) => until(() => expect(states.at(-1)).toBe(wanted));
      const more = async (count: number): Promise<void> => {
        const from = found.length;
        await until(() => expect(found.length).toBeGreaterThanOrEqual(from + count));
      };
      const expected: SensorState[] = [];

      await state(gone);
      expected.push(gone);
      await plug.plug();
      await state("ok");
      await more(10);
      expected.push("ok");

      plug.freeze();
      await state("stalled");
      plug.thaw();
      await state("ok");
      expected.push("stalled", "ok");

      if (plug.flood) {
        const before = supervised.health.readings;
        await more(3);
        await plug.flood(burst);
        await until(() => expect(supervised.health.readings).toBeGreaterThanOrEqual(before + burst));
      }

      if (plug.kill) {
        await more(3);
        plug.kill();
        await state("error");
        await state("ok");
        expected.push("error", "ok");
      }

      await more(3);
      await plug.unplug();
      await state(gone);
      expected.push(...going, gone);
      await plug.plug();
      await state("ok");
      expected.push("ok");
      await more(3);
      const { reopened } = supervised.health;
      stop.abort();
      await running;
      await plug.unplug();

      expect(states).toEqual(expected);
      expect(reopened).toBeGreaterThanOrEqual(plug.kill ? 3 : 2);
      // Each reading is numbered: what is missing gave way, and was counted.
      const { readings, dropped } = supervised.health;
      expect(found.length + dropped).toBeGreaterThanOrEqual(readings - 1);
      expect(found.every(({ seq }, i) => i === 0 || seq > found[i - 1]!.seq)).toBe(true);
      // Late by what it was frozen at most, never from the future.
      expect(Math.min(...delays)).toBeGreaterThan(-150_000);
      expect(Math.max(...delays)).toBeLessThan(5_000_000);
      await until(() => expect(plug.running()).toEqual([]));
    });
  },
);

test("a session of files: what is missing ends at once, what is there is played to its end, every picture at its time", async () => {
  const folder = mkdtempSync(join(tmpdir(), "session-"));
  const states: SensorState[] = [];
  const onHealth = ({ state }: SensorHealth): void => void states.push(state);
  const context = { signal: new AbortController().signal, clock: wallClock, log: silent, folder };
  const play = async (): Promise<SensorReading[]> => {
    const found: SensorReading[] = [];
    const options = { sensor: "s0", options: { path: "pictures", rate: 50 }, onHealth };
    for await (const reading of supervise(files, options, { ...context, modality: "vision" })) found.push(reading);
    return found;
  };
  const missing = await play().catch((error: unknown) => error);
  expect(isSenseError(missing, "FILE_UNREADABLE")).toBe(true);
  const { mkdirSync } = await import("node:fs");
  mkdirSync(join(folder, "pictures"));
  const picture = new URL("../golden/decode/rgb.jpg", import.meta.url);
  for (let i = 0; i < 10; i++) await copyFile(picture, join(folder, "pictures", `${i}.jpg`));
  const found = await play();
  expect(found.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(found.slice(1).map(({ reading }, i) => reading.time - found[i]!.reading.time)).toEqual(Array(9).fill(20_000));
  expect(states).toEqual(["ok"]);
});
