import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { constants, existsSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import serial from "../../devices/serial.js";
import { isSenseError } from "../../src/core/errors.js";
import { silent } from "../../src/core/log.js";
import { seeded } from "../../src/core/random.js";
import type { SensorReading } from "../../src/core/reading.js";
import { ms } from "../../src/core/time.js";
import type { DeviceFacts } from "../../src/device/define.js";
import { readSchema } from "../../src/device/firmware/catalog.js";
import { encodeFrame } from "../../src/device/firmware/frame.js";
import type { SensorHealth } from "../../src/device/health.js";
import { supervise } from "../../src/device/supervise.js";
import { deviceContract } from "../../src/testing/device-contract.js";
import { readDevice, wallClock } from "../support/device.js";
import { hasTool } from "../support/tools.js";

const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants;

const imu = await readSchema("imu-6axis.v1");
const frame = (seq: number): Uint8Array => {
  const fields = { accel: [seq & 0x7fff, seq >> 15, 8192], gyro: [-1, 0, 1] };
  return encodeFrame(imu, { seq: seq & 0xffff, time: (seq * 1000) >>> 0, fields });
};

/** A cable: what is written to `device` comes out at `path`. */
interface Cable {
  readonly path: string;
  readonly device: FileHandle;
  readonly socat: ChildProcess;
}

let dir: string;
let cables: Cable[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "serial-"));
});
afterEach(async () => {
  for (const cable of cables.splice(0)) await unplug(cable);
  cables = [];
});

async function plug(name = "tty"): Promise<Cable> {
  const [path, far] = [join(dir, name), join(dir, `${name}.far`)];
  const socat = spawn("socat", [`pty,raw,echo=0,link=${far}`, `pty,raw,echo=0,link=${path}`], { stdio: "ignore" });
  await vi.waitFor(() => expect(existsSync(path) && existsSync(far)).toBe(true), { interval: 5, timeout: 5000 });
  const cable = { path, device: await open(far, O_WRONLY | O_NONBLOCK | O_NOCTTY), socat };
  cables.push(cable);
  return cable;
}

async function unplug({ socat, device }: Cable): Promise<void> {
  const gone =
    socat.exitCode !== null || socat.signalCode !== null
      ? Promise.resolve()
      : new Promise((resolve) => socat.once("exit", resolve));
  socat.kill("SIGKILL");
  await gone;
  await device.close().catch(() => {});
}

/** Whether this process has the port open. */
const isOpen = (path: string): boolean =>
  readdirSync("/proc/self/fd").some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === realpathSync(path);
    } catch {
      return false;
    }
  });

/** Reads `count` readings; resolves its first part when bytes that are sent arrive. A first frame is sent until it does. */
async function reading({ path, device }: Cable, count: number, hello?: Uint8Array) {
  let heard = false;
  let facts: DeviceFacts = {};
  const tell = (more: DeviceFacts): void => {
    heard = true;
    facts = { ...facts, ...more };
  };
  const options = { path, schema: "imu-6axis.v1", baud: 2_000_000 };
  const result = readDevice(serial, { options, count, context: { tell } });
  await vi.waitFor(
    async () => {
      expect(isOpen(path)).toBe(true);
      if (hello && !heard) await device.write(hello);
      expect(heard || !hello).toBe(true);
    },
    { timeout: 10_000, interval: 5 },
  );
  return { result: result.then(({ readings }) => ({ readings, facts })) };
}

/** Writes everything; a full line is waited for without holding a thread, which the reading side needs. */
async function send({ device }: Cable, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await device.write(bytes, at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EAGAIN") throw error;
      return { bytesWritten: 0 };
    });
    at += bytesWritten;
    if (bytesWritten === 0) await nextTurn();
  }
}

/** Sends frames until told to stop. */
function sending({ device }: Cable, { from = 0, everyMs = 2 } = {}): () => number {
  let seq = from;
  const timer = setInterval(() => void device.write(frame(seq++)).catch(() => {}), everyMs);
  return () => {
    clearInterval(timer);
    return seq;
  };
}

describe.skipIf(!hasTool("socat"))("serial, over a pseudo terminal", () => {
  test("it keeps the contract of a device", async () => {
    const cable = await plug();
    const stop = sending(cable);
    for (const { check } of deviceContract(serial, { options: { path: cable.path, schema: "imu-6axis.v1" } }))
      await check();
    stop();
  });

  test("40,000 frames of the C encoder in pieces of any size, with damage: every intact one arrives, no other, the losses are exact", async () => {
    const cable = await plug();
    const random = seeded(11);
    const last = 40_000;
    const sent = hasTool("gcc") ? framesInC(last + 1) : Array.from({ length: last + 1 }, (_, seq) => frame(seq));
    const pieces: Uint8Array[] = [sent[0]!];
    const intact = [0];
    for (let seq = 1; seq < last; seq++) {
      const bytes = Uint8Array.from(sent[seq]!);
      const dice = random();
      const at = Math.floor(random() * (bytes.length - 1));
      if (dice < 0.02) bytes[at]! ^= 1 + Math.floor(random() * 255);
      if (dice >= 0.02 && dice < 0.04) pieces.push(bytes.subarray(0, at));
      else if (dice < 0.04 || dice >= 0.06) pieces.push(bytes);
      if (dice >= 0.06 && dice < 0.08) pieces.push(bytes);
      if (dice >= 0.06) intact.push(seq);
    }
    pieces.push(sent[last]!);
    intact.push(last);
    const stream = Buffer.concat(pieces);
    const { result } = await reading(cable, intact.length, frame(0));
    for (let at = 0; at < stream.length; ) {
      const size = 1 + Math.floor(random() * 3000);
      await send(cable, stream.subarray(at, at + size));
      at += size;
    }
    const { readings, facts } = await result;
    const scale = imu.fields[0]!.scale;
    const received = readings.map(({ data }) => Math.round(data[0]! / scale) + (Math.round(data[1]! / scale) << 15));
    expect(received).toEqual(intact);
    expect(facts.lost).toBe(last + 1 - intact.length);
  });

  test("event time follows the device's clock: bursts on the line do not show", async () => {
    const cable = await plug();
    const { result } = await reading(cable, 700, frame(0));
    let seq = 1;
    const timer = setInterval(() => {
      void cable.device.write(Buffer.concat(Array.from({ length: 20 }, () => frame(seq++)))).catch(() => {});
    }, 20);
    const { readings, facts } = await result;
    clearInterval(timer);
    const steps = readings.slice(-300).map(({ time }, i, all) => time - (all[i - 1]?.time ?? time - 1000));
    for (const step of steps) expect(Math.abs(step - 1000)).toBeLessThan(300);
    expect(facts.clock?.source).toBe("device");
  });

  test("a port that is not there is DEVICE_ABSENT", async () => {
    const options = { path: join(dir, "none"), schema: "imu-6axis.v1" };
    const error = await readDevice(serial, { options }).catch((e: unknown) => e);
    expect(isSenseError(error, "DEVICE_ABSENT") && error.message).toMatch(/none is not there/);
  });

  test("plugged, frozen, thawed, flooded, unplugged and plugged again: states and counts are right each time", async () => {
    const states: string[] = [];
    const onHealth = ({ state }: SensorHealth): void => void states.push(state);
    const stop = new AbortController();
    const options = { path: join(dir, "tty"), schema: "imu-6axis.v1" };
    const context = { signal: stop.signal, clock: wallClock, log: silent, folder: ".", modality: "imu" as const };
    const supervised = supervise(serial, { sensor: "imu0", options, stall: ms(1500), onHealth }, context);
    const found: SensorReading[] = [];
    const delays: number[] = [];
    const running = (async () => {
      for await (const reading of supervised) {
        found.push(reading);
        delays.push(wallClock.now() - reading.reading.time);
      }
    })();
    const until = (condition: () => void) => vi.waitFor(condition, { timeout: 20_000, interval: 10 });

    await until(() => expect(states.at(-1)).toBe("absent"));
    const first = await plug();
    const stopFirst = sending(first);
    await until(() => expect(states.at(-1)).toBe("ok"));

    first.socat.kill("SIGSTOP");
    await until(() => expect(states.at(-1)).toBe("stalled"));
    first.socat.kill("SIGCONT");
    await until(() => expect(states.at(-1)).toBe("ok"));

    const before = found.length;
    for (let i = 0; i < 20; i++)
      await send(first, Buffer.concat(Array.from({ length: 50 }, (_, k) => frame(100_000 + i * 50 + k))));
    await until(() => expect(found.length).toBeGreaterThan(before + 900));

    stopFirst();
    await unplug(first);
    await until(() => expect(states.at(-1)).toBe("absent"));
    const second = await plug();
    const stopSecond = sending(second, { from: 5 });
    await until(() => expect(states.at(-1)).toBe("ok"));
    stopSecond();
    stop.abort();
    await running;
    expect(states).toEqual(["absent", "ok", "stalled", "ok", "absent", "ok"]);
    expect(found.every(({ seq }, i) => seq === i)).toBe(true);
    // What was on the line while it was frozen is late, but never from the future.
    expect(Math.min(...delays)).toBeGreaterThan(-100_000);
    expect(Math.max(...delays)).toBeLessThan(5_000_000);
  });

  test.skipIf(!hasTool("gcc"))("firmware in C, with the generated header, is read back over the line", async () => {
    const cable = await plug();
    const { result } = await reading(cable, 20_000);
    spawn(firmware(), ["20000", `${cable.path}.far`], { stdio: "ignore" });
    const { readings, facts } = await result;
    expect([facts.lost, facts.corrupt]).toEqual([0, 0]);
    expect(readings.at(-1)!.data[2]).toBeCloseTo(9.80665, 5);
  });
});

/** Firmware that writes so many frames, the same as `frame` gives, to a file; compiled. */
function firmware(): string {
  const source = join(dir, "firmware.c");
  writeFileSync(
    source,
    `#include "sensebind_frames.h"
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  uint32_t count = (uint32_t)atol(argv[1]);
  FILE *line = argc > 2 ? fopen(argv[2], "wb") : stdout;
  if (!line) return 1;
  for (uint32_t i = 0; i < count; i++) {
    sb_imu_6axis_v1_t in = {{(int16_t)(i & 0x7fff), (int16_t)(i >> 15), 8192}, {-1, 0, 1}};
    uint8_t out[SB_IMU_6AXIS_V1_FRAME_MAX];
    size_t n = sb_imu_6axis_v1_encode(out, sizeof out, &in, (uint16_t)i, i * 1000u);
    if (fwrite(out, 1, n, line) != n) return 2;
  }
  return fclose(line);
}
`,
  );
  const header = new URL("../../firmware-schemas", import.meta.url).pathname;
  const binary = join(dir, "firmware");
  execFileSync("gcc", ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", `-I${header}`, source, "-o", binary]);
  return binary;
}

/** What that firmware writes, cut after the zero that ends each frame. */
function framesInC(count: number): Uint8Array[] {
  const bytes = execFileSync(firmware(), [String(count)], { maxBuffer: 2 ** 26 });
  const frames: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0, from) + 1;
    frames.push(bytes.subarray(from, end));
    from = end;
  }
  return frames;
}
