import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import mqttIn from "../../devices/mqtt-in.js";
import { isSenseError } from "../../src/core/errors.js";
import { silent } from "../../src/core/log.js";
import type { Block } from "../../src/core/reading.js";
import { ffmpegUnits } from "../../src/device/ffmpeg.js";
import { readSchema } from "../../src/device/firmware/catalog.js";
import { encodeFrame } from "../../src/device/firmware/frame.js";
import type { SensorHealth } from "../../src/device/health.js";
import { supervise } from "../../src/device/supervise.js";
import { type EmbeddedBroker, startBroker } from "../../src/publish/aedes.js";
import { deviceContract } from "../../src/testing/device-contract.js";
import { readDevice, wallClock } from "../support/device.js";
import { hasTool } from "../support/tools.js";

let broker: EmbeddedBroker;
let sensor: MqttClient;
beforeEach(async () => {
  broker = await startBroker({ username: "board", password: "secret" });
  sensor = await mqtt.connectAsync(broker.url, { username: "board", password: "secret", reconnectPeriod: 0 });
});
afterEach(async () => {
  sensor.end(true);
  await broker[Symbol.asyncDispose]();
});

/** Stopped after each test, one that failed too: its messages would reach the next one. */
const publishers: NodeJS.Timeout[] = [];
afterEach(() => publishers.splice(0).forEach(clearInterval));

const folder = mkdtempSync(join(tmpdir(), "mqtt-in-"));
writeFileSync(join(folder, "password"), "secret\n");
const base = () => ({ url: broker.url, topic: "lab/scale", username: "board", passwordFile: "password" });

/** Publishes the messages over and over: a subscriber may come late. */
function publishing(messages: readonly (string | Buffer)[]): () => void {
  let i = 0;
  const timer = setInterval(() => sensor.publish("lab/scale", messages[i++ % messages.length]!), 5);
  publishers.push(timer);
  return () => clearInterval(timer);
}

async function listen(options: object, messages: readonly (string | Buffer)[], count = messages.length) {
  const stop = publishing(messages);
  const found = await readDevice(mqttIn, { options: { ...base(), ...options }, count, context: { folder } });
  stop();
  return found;
}

test("it keeps the contract of a device", async () => {
  const stop = publishing(['{"kg": 1}']);
  for (const { check } of deviceContract(mqttIn, { options: base(), folder })) await check();
  stop();
});

test("an object of numbers is a sample, its time is the moment of arrival unless it says its own", async () => {
  const { readings } = await listen({}, ['{"kg": 1.5, "unit": "kg", "tare": 0}']);
  const { channels, data, time } = readings[0] as Block;
  expect([channels, [...data]]).toEqual([
    ["kg", "tare"],
    [1.5, 0],
  ]);
  expect(Math.abs(time - Date.now() * 1e3)).toBeLessThan(2_000_000);
  const timed = await listen({ time: "at", timeUnit: "ms" }, ['{"kg": 1, "at": 1700000000123}']);
  expect(timed.readings[0]?.time).toBe(1_700_000_000_123_000);
  expect((timed.readings[0] as Block).channels).toEqual(["kg"]);
});

test("a stray first message does not decide what the channels are", async () => {
  const options = { ...base(), time: "at" };
  const stray = '{"kg": 1.5, "tare": 0}';
  sensor.publish("lab/scale", stray, { retain: true });
  const stop = publishing(['{"kg": 1, "at": 1700000000123}']);
  const { readings, facts } = await readDevice(mqttIn, { options, count: 1, context: { folder } });
  stop();
  expect((readings[0] as Block).channels).toEqual(["kg"]);
  expect(facts.corrupt).toBe(1);
});

test("arrays are several samples, in the channels' order", async () => {
  const options = { channels: ["ax", "ay"], rate: 100, modality: "imu" };
  const { readings } = await listen(options, ['{"ay": [3, 4], "ax": [1, 2]}']);
  expect([...(readings[0] as Block).data]).toEqual([1, 3, 2, 4]);
});

test("frames of a firmware schema and JPEG pictures come over MQTT as over a wire", async () => {
  const imu = await readSchema("imu-6axis.v1");
  const frames = [0, 1].map((seq) =>
    Buffer.from(encodeFrame(imu, { seq, time: seq * 10_000, fields: { accel: [0, 0, 8192], gyro: [0, 0, 0] } })),
  );
  const { readings } = await listen({ format: "imu-6axis.v1" }, [Buffer.concat(frames)], 2);
  expect(readings[0]).toMatchObject({ modality: "imu", channels: ["ax", "ay", "az", "gx", "gy", "gz"] });
  const jpeg = await listen({ format: "jpeg" }, [Buffer.from([0xff, 0xd8, 0xff, 0xe0])]);
  expect(jpeg.readings[0]).toMatchObject({ kind: "encoded", mime: "image/jpeg" });
});

test("messages of another form are counted, not believed", async () => {
  const wrong = ["not json", "[1]", '{"kg": "heavy"}', '{"kg": []}', '{"kg": null}'];
  const { facts, readings } = await listen({ channels: ["kg"] }, [...wrong, '{"kg": 2}'], 1);
  expect((readings[0] as Block).data[0]).toBe(2);
  expect(facts.corrupt ?? 0).toBeGreaterThanOrEqual(0);
  const all = await listen({ channels: ["kg"] }, [...wrong, '{"kg": 2}'], 2);
  expect(all.facts.corrupt).toBeGreaterThanOrEqual(wrong.length);
});

test("a wrong password is DEVICE_ABSENT, and no error tells the right one", async () => {
  writeFileSync(join(folder, "wrong"), "guess");
  const options = { ...base(), passwordFile: "wrong" };
  const error = await readDevice(mqttIn, { options, context: { folder } }).catch((e: unknown) => e);
  expect(isSenseError(error, "DEVICE_ABSENT") && error.message).not.toMatch(/guess|secret/);
});

test("a broker that goes away makes the sensor absent, and it comes back with the broker", async () => {
  const states: string[] = [];
  const stop = new AbortController();
  const context = { signal: stop.signal, clock: wallClock, log: silent, folder, modality: "other" as const };
  const onHealth = ({ state }: SensorHealth): void => void states.push(state);
  const supervised = supervise(mqttIn, { sensor: "scale", options: base(), onHealth }, context);
  const running = (async () => {
    for await (const _ of supervised);
  })();
  const until = (state: string) =>
    vi.waitFor(() => expect(states.at(-1)).toBe(state), { timeout: 10_000, interval: 10 });
  const stopPublishing = publishing(['{"kg": 1}']);
  await until("ok");
  stopPublishing();
  const { port } = broker;
  sensor.end(true);
  await broker[Symbol.asyncDispose]();
  await until("absent");
  broker = await startBroker({ port, username: "board", password: "secret" });
  sensor = await mqtt.connectAsync(broker.url, { username: "board", password: "secret", reconnectPeriod: 0 });
  const again = publishing(['{"kg": 1}']);
  await until("ok");
  again();
  stop.abort();
  await running;
});

test.skipIf(!hasTool("ffmpeg"))(
  "pictures of H.264 come one a message, and are decoded from the first key frame on",
  async () => {
    const film = join(folder, "film.h264");
    const coder = ["-c:v", "libx264", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", "10"];
    execFileSync("ffmpeg", [
      "-v",
      "error",
      "-f",
      "lavfi",
      "-i",
      "testsrc=size=64x48:rate=25:duration=2",
      ...coder,
      film,
    ]);
    const context = {
      ...{ signal: new AbortController().signal, clock: wallClock, log: silent, folder: "." },
      tell: () => {},
    };
    const units: Buffer[] = [];
    for await (const { data } of ffmpegUnits({ input: ["-i", film], modality: "vision", ends: true }, context)) {
      units.push(Buffer.from(data));
    }
    const { readings, facts } = await listen({ format: "h264" }, units, 20);
    expect(readings[0]).toMatchObject({ kind: "frame", modality: "vision", width: 64, height: 48, format: "rgb8" });
    expect(facts.decoder).toBe("ffmpeg");
    for (const { time } of readings) expect(Math.abs(time - Date.now() * 1e3)).toBeLessThan(20_000_000);
  },
);
