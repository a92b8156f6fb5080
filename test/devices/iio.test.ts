import { mkdtempSync, readFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import iio from "../../devices/iio.js";
import { isSenseError } from "../../src/core/errors.js";
import type { Block } from "../../src/core/reading.js";
import { iioSensors } from "../../src/device/iio.js";
import { decodeElement, scanBytes, scanLayout } from "../../src/device/iio-scan.js";
import { deviceContract } from "../../src/testing/device-contract.js";
import { readDevice } from "../support/device.js";
import { iioScan, makeIioTree } from "../support/iio-tree.js";
import { hasTool } from "../support/tools.js";

let root: string;
let fifo: FileHandle;
const sensor = () => join(root, "sys/iio:device0");
const options = () => ({ device: "lsm6ds", sysfs: join(root, "sys"), dev: join(root, "dev"), block: "20ms" });

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "iio-"));
  makeIioTree(root);
  // Reading and writing at once: a fifo opened so does not wait for its other end.
  fifo = await open(join(root, "dev/iio:device0"), "r+");
});
afterEach(async () => {
  await fifo.close();
});

const scan = (i: number): Buffer => iioScan(i, 1_800_000_000_000_000_000n + BigInt(i) * 10_000_000n);

/** Sends scans until told to stop, cut anywhere. */
function sending(): () => void {
  let i = 0;
  const timer = setInterval(() => {
    const two = Buffer.concat([scan(i++), scan(i++)]);
    void fifo
      .write(two.subarray(0, 31))
      .then(() => fifo.write(two.subarray(31)))
      .catch(() => {});
  }, 3);
  return () => clearInterval(timer);
}

describe.skipIf(!hasTool("mkfifo"))("iio, on a sysfs tree of files and a fifo", () => {
  test("it keeps the contract of a device", async () => {
    const stop = sending();
    for (const { check } of deviceContract(iio, { options: options() })) await check();
    stop();
  });

  test("raw values become m/s² and rad/s, accelerometer first, whatever the order of the scan", async () => {
    const stop = sending();
    const { readings } = await readDevice(iio, { options: options(), count: 3 });
    stop();
    const block = readings[0] as Block;
    expect(block).toMatchObject({ modality: "imu", channels: ["ax", "ay", "az", "gx", "gy", "gz"], rate: 100 });
    expect([...block.data.slice(0, 6)]).toEqual([1, -2, 9.807, 0.001, 0.002, 0.003].map(Math.fround));
    expect(readings[2]!.time - readings[1]!.time).toBeLessThan(22_000);
  });

  test("axes are turned as the sensor is mounted, gyroscope too", async () => {
    const stop = sending();
    const { readings } = await readDevice(iio, { options: { ...options(), axes: ["y", "-x", "z"] }, count: 1 });
    stop();
    const data = readings[0]!.data as Float32Array;
    expect([...data.slice(0, 6)]).toEqual([-2, -1, 9.807, 0.002, -0.001, 0.003].map(Math.fround));
  });

  test("the scan is set up: what is not wanted is off, the rate is set, the buffer is on while it is read", async () => {
    const stop = sending();
    let during = "";
    const tell = (): void => {
      during = readFileSync(join(sensor(), "buffer/enable"), "utf8");
    };
    await readDevice(iio, { options: { ...options(), rate: 50 }, count: 1, context: { tell } });
    stop();
    const read = (file: string): string => readFileSync(join(sensor(), file), "utf8").trim();
    expect([during, read("buffer/enable")]).toEqual(["1", "0"]);
    expect([read("scan_elements/in_temp_en"), read("scan_elements/in_accel_x_en")]).toEqual(["0", "1"]);
    expect(read("sampling_frequency")).toBe("50");
  });

  test("values stand in a scan where the kernel puts them: aligned to their own size", async () => {
    const layout = await scanLayout(join(sensor(), "scan_elements"), (name) => name !== "in_temp");
    expect(layout.map(({ offset }) => offset)).toEqual([0, 2, 4, 6, 8, 10, 16]);
    expect(scanBytes(layout)).toBe(24);
    const [temp] = await scanLayout(join(sensor(), "scan_elements"), (name) => name === "in_temp");
    // 12 bits, big-endian, above 4 bits of nothing: 0xfff is -1.
    expect(decodeElement(new DataView(Uint8Array.of(0xff, 0xf5).buffer), 0, temp!)).toBe(-1);
  });

  test("a sensor that is not there is DEVICE_ABSENT; those that are there are found", async () => {
    const error = await readDevice(iio, { options: { ...options(), device: "bmi160" } }).catch((e: unknown) => e);
    expect(isSenseError(error, "DEVICE_ABSENT")).toBe(true);
    expect(await iioSensors(join(root, "sys"))).toMatchObject([{ folder: "iio:device0", name: "lsm6ds" }]);
  });
});
