import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as z from "zod";
import { isSenseError, SenseError } from "../../src/core/errors.js";
import { silent } from "../../src/core/log.js";
import type { Reading, SensorReading } from "../../src/core/reading.js";
import { hz, micros, ms, s } from "../../src/core/time.js";
import { type Device, type DeviceContext, defineDevice } from "../../src/device/define.js";
import type { SensorHealth } from "../../src/device/health.js";
import { pause } from "../../src/device/pause.js";
import { supervise } from "../../src/device/supervise.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const block = (time: number, size = 1): Reading => ({
  kind: "block",
  modality: "other",
  time: micros(time),
  channels: ["x"],
  rate: hz(10),
  data: new Float32Array(size),
});

type Script = (context: DeviceContext, opening: number) => AsyncIterable<Reading>;

function scripted(readings: Script, delivery: Device["delivery"] = "latest"): Device {
  let openings = 0;
  return defineDevice<unknown>({
    name: "scripted",
    title: "Scripted",
    modalities: ["other"],
    options: z.strictObject({ gain: z.number().optional() }),
    delivery,
    readings: (_, context) => readings(context, openings++),
  });
}

/** Supervises a script and keeps what comes out. */
function start(
  script: Script,
  { delivery, ...options }: Record<string, unknown> & { delivery?: Device["delivery"] } = {},
) {
  const stop = new AbortController();
  const states: string[] = [];
  const found: SensorReading[] = [];
  const onHealth = ({ state, reason }: SensorHealth): void => void states.push(reason ? `${state}: ${reason}` : state);
  const context = { signal: stop.signal, clock: { now: () => micros(Date.now() * 1e3) }, log: silent, folder: "." };
  const supervised = supervise(scripted(script, delivery), { sensor: "s0", onHealth, ...options }, context);
  const running = (async () => {
    for await (const reading of supervised) found.push(reading);
  })();
  running.catch(() => {});
  return { supervised, states, found, running, stop };
}

const pass = (span: number): Promise<unknown> => vi.advanceTimersByTimeAsync(span / 1e3);

test("a source that goes silent is stalled, is opened again, and is ok as soon as it speaks", async () => {
  const run = start(async function* ({ signal }, opening) {
    for (let i = 0; i < 20; i++) {
      await pause(ms(100), signal);
      yield block(opening * 1e9 + i * 1e5);
    }
    if (opening === 0) await pause(s(1e6), signal);
    else await pause(ms(100), signal);
  });
  await pass(s(3));
  expect(run.states).toEqual(["ok"]);
  await pass(s(1.2));
  expect(run.states).toEqual(["ok", "stalled: gave nothing for 2.0 s"]);
  await pass(s(0.7));
  expect(run.states.at(-1)).toBe("ok");
  await pass(s(3));
  await run.running;
  expect(run.supervised.health).toMatchObject({ readings: 40, reopened: 1, dropped: 0, rateHz: 10 });
  expect(run.found.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, i) => i));
});

test("a slow sensor is given its own pace: eight of its intervals, not two seconds", async () => {
  const run = start(async function* ({ signal }) {
    for (let i = 0; !signal.aborted; i++) {
      await pause(s(5), signal);
      yield block(i * 5e6);
    }
  });
  await pass(s(60));
  expect(run.states).toEqual(["ok"]);
  run.stop.abort();
  await run.running;
});

test("an unplugged device is absent, is tried with a pause that doubles up to 15 s, and comes back", async () => {
  const tries: number[] = [];
  const run = start(async function* ({ signal }) {
    tries.push(Date.now());
    if (tries.length < 9) throw new SenseError("DEVICE_ABSENT", "/dev/ttyACM0 is not there");
    yield block(0);
    await pause(s(1e6), signal);
  });
  await pass(s(100));
  const pauses = tries.slice(1).map((at, i) => at - tries[i]!);
  expect(pauses.slice(0, 8)).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  expect(run.states.slice(0, 2)).toEqual(["absent: /dev/ttyACM0 is not there", "ok"]);
  run.stop.abort();
  await run.running;
});

test("a device that does not let go is left behind: what it says later is nobody's", async () => {
  const run = start(async function* (_, opening) {
    yield block(opening);
    if (opening === 0) await pause(s(20), new AbortController().signal);
    yield block(100 + opening);
    await pause(s(1e6), _.signal);
  });
  await pass(s(60));
  run.stop.abort();
  await pass(s(5));
  await run.running;
  expect(run.found.map(({ reading }) => reading.time)).not.toContain(100);
  expect(run.found.map(({ reading }) => reading.time)).toContain(101);
});

test("live readings that nobody takes give way, oldest first, and the loss shows in numbers and in the count", async () => {
  const stop = new AbortController();
  const flood = scripted(async function* ({ signal }) {
    for (let i = 0; i < 1000; i++) yield block(i);
    await pause(s(1e6), signal);
  });
  const context = { signal: stop.signal, clock: { now: () => micros(0) }, log: silent, folder: "." };
  const supervised = supervise(flood, { sensor: "s0", capacity: 10 }, context);
  const readings = supervised[Symbol.asyncIterator]();
  const first = (await readings.next()).value as SensorReading;
  await vi.waitFor(() => expect(supervised.health.readings).toBe(1000));
  const second = (await readings.next()).value as SensorReading;
  expect([first.seq, second.seq, supervised.health.dropped]).toEqual([0, 990, 989]);
  await readings.return(undefined);
});

test("a recording waits for its reader instead of losing anything, and its memory stays bounded", async () => {
  let made = 0;
  const recording = scripted(async function* () {
    for (; made < 500; made++) yield block(made, 1000);
  }, "all");
  const context = { signal: new AbortController().signal, clock: { now: () => micros(0) }, log: silent, folder: "." };
  const found: number[] = [];
  for await (const { seq } of supervise(recording, { sensor: "s0", bytes: 40_000 }, context)) {
    found.push(seq);
    expect(made - found.length).toBeLessThanOrEqual(12);
  }
  expect(found).toHaveLength(500);
});

test("the error of a recording ends it; a live device never ends by an error", async () => {
  const fails: Script = async function* () {
    yield block(0);
    throw new SenseError("BAD_RECORDING", "cut");
  };
  const recording = start(fails, { delivery: "all" });
  const error = await recording.running.catch((e: unknown) => e);
  expect(isSenseError(error, "BAD_RECORDING")).toBe(true);
  expect(recording.found).toHaveLength(1);
  const live = start(fails);
  await pass(s(10));
  expect(live.supervised.health.readings).toBeGreaterThan(3);
  expect(live.states).toContain("error: cut");
  live.stop.abort();
  await live.running;
});

test("counts of a device are added up over its openings", async () => {
  const run = start(async function* ({ tell, signal }) {
    tell?.({ lost: 2, corrupt: 1 });
    tell?.({ lost: 3 });
    yield block(0);
    await pause(s(1), signal);
    throw new SenseError("DEVICE_FAILED", "gone");
  });
  await pass(s(2.8));
  run.stop.abort();
  await run.running;
  expect(run.supervised.health).toMatchObject({ lost: 6, corrupt: 2, reopened: 1 });
});

test("wrong options are an error at once, with the name that was probably meant", () => {
  const device = scripted(async function* () {});
  const context = { signal: new AbortController().signal, clock: { now: () => micros(0) }, log: silent, folder: "." };
  expect(() => supervise(device, { sensor: "s0", options: { gian: 2 } }, context)).toThrow(/no option "gian"/);
  expect(() => supervise(device, { sensor: "s0" }, { ...context, modality: "audio" })).toThrow(
    /gives other, not audio/,
  );
});

test("a sensor that floods without a pause does not starve another", async () => {
  vi.useRealTimers();
  const stop = new AbortController();
  const context = { signal: stop.signal, clock: { now: () => micros(0) }, log: silent, folder: "." };
  const flood = scripted(async function* ({ signal }) {
    for (let i = 0; !signal.aborted; i++) yield block(i);
  });
  const calm = scripted(async function* ({ signal }) {
    for (let i = 0; !signal.aborted; i++) {
      yield block(i);
      await pause(ms(5), signal);
    }
  });
  const flooded = supervise(flood, { sensor: "flood" }, context);
  const flooding = (async () => {
    for await (const _ of flooded);
  })();
  let heard = 0;
  for await (const _ of supervise(calm, { sensor: "calm" }, context)) if (++heard === 20) break;
  expect(flooded.health.readings).toBeGreaterThan(1000);
  stop.abort();
  await flooding;
});
