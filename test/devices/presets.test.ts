import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import httpStill from "../../devices/http-still.js";
import microphone from "../../devices/microphone.js";
import rtsp from "../../devices/rtsp.js";
import v4l2 from "../../devices/v4l2.js";
import { isSenseError } from "../../src/core/errors.js";
import type { Block, Frame, Reading } from "../../src/core/reading.js";
import { hz, micros } from "../../src/core/time.js";
import { centikelvin } from "../../src/device/decode/thermal.js";
import { physical } from "../../src/device/physical.js";
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
  const through = async (frames: Reading[], more = {}): Promise<Frame[]> => {
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

  test("thermal steps become °C where they are known, and frames that a shutter repeats are dropped", async () => {
    const frames = [raw("thermal", 29815, 30000), raw("thermal", 29815, 30000), raw("thermal", 29816, 30000)];
    const notes: unknown[] = [];
    const tell = ({ note }: { note?: string }): void => void notes.push(note);
    const found = await through(frames, { radiometry: centikelvin, tell });
    expect(found).toHaveLength(2);
    expect(found[0]!.data[0]).toBeCloseTo(25, 4);
    expect(notes).toEqual(["1 repeated frames dropped (shutter)"]);
    expect((await through([raw("thermal", 7)]))[0]!.format).toBe("gray16");
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
