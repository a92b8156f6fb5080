import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isSenseError, SenseError } from "../core/errors.js";
import type { Reading } from "../core/reading.js";
import { type Duration, hz, micros } from "../core/time.js";
import { startChild } from "./child.js";
import type { DeviceContext } from "./define.js";
import { decodeElement, type ScanElement, scanBytes, scanLayout } from "./iio-scan.js";
import { LiveTime } from "./live-time.js";

export interface IioOptions {
  readonly device: string;
  readonly rate?: number | undefined;
  /** Which of the sensor's axes stands for x, y and z, with its sign. */
  readonly axes: readonly [string, string, string];
  readonly block: Duration;
  readonly sysfs: string;
  readonly dev: string;
}

/** IIO's names of the quantities, and ours; IIO's units after `scale` are m/s² and rad/s (sysfs-bus-iio of the kernel). */
const quantities = [
  { iio: "accel", letter: "a" },
  { iio: "anglvel", letter: "g" },
] as const;

export interface IioSensor {
  readonly folder: string;
  readonly name: string;
}

/** The sensors under a sysfs folder that have an accelerometer. */
export async function iioSensors(sysfs: string): Promise<readonly IioSensor[]> {
  const folders = (await readdir(sysfs).catch(() => [])).filter((folder) => folder.startsWith("iio:device")).sort();
  const sensors = await Promise.all(
    folders.map(async (folder) => ({
      folder,
      name: (await readFile(join(sysfs, folder, "name"), "utf8").catch(() => folder)).trim(),
      scans: await readdir(join(sysfs, folder, "scan_elements")).catch(() => [] as string[]),
    })),
  );
  return sensors.filter(({ scans }) => scans.some((file) => file.startsWith("in_accel_")));
}

/**
 * Reads a sensor through its IIO buffer: `ax ay az` in m/s² and, where it has a gyroscope, `gx gy gz` in rad/s.
 * Throws `DEVICE_ABSENT`, `DEVICE_FAILED`.
 */
export async function* iioReadings(options: IioOptions, context: DeviceContext): AsyncGenerator<Reading> {
  const { signal, clock, tell = () => {} } = context;
  const { folder, layout, channels, rate } = await setUp(options);
  const size = scanBytes(layout);
  const samples = Math.max(1, Math.round((options.block * rate) / 1e6));
  const time = new LiveTime({ clock, latency: 0 as Duration, tell, origin: "epoch" });
  const span = (samples * 1e6) / rate;
  const path = join(options.dev, folder);
  // Read by another process: a blocking read here would hold one of the four threads that all file access shares.
  await using child = startChild(["cat", path], { signal, hint: "cat is part of every Linux." });
  let rest: Uint8Array = new Uint8Array();
  try {
    for await (const chunk of child.stdout as AsyncIterable<Uint8Array>) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      for (; at + size * samples <= bytes.length; at += size * samples) {
        const view = new DataView(bytes.buffer, bytes.byteOffset + at, size * samples);
        const data = new Float32Array(samples * channels.length);
        for (let i = 0; i < data.length; i++) {
          const { element, scale } = channels[i % channels.length]!;
          data[i] = decodeElement(view, size * Math.floor(i / channels.length), element) * scale;
        }
        yield {
          ...{ kind: "block", modality: "imu", channels: channels.map(({ name }) => name), rate: hz(rate), data },
          time: time.ofBlock(stampOf(view, layout), span),
        };
      }
      rest = bytes.slice(at);
    }
    await child.ended();
  } catch (cause) {
    if (isSenseError(cause) && /No such (file|device)/.test(cause.message)) {
      throw new SenseError("DEVICE_ABSENT", `${path} is not there`, { hint: "Was the sensor unplugged?", cause });
    }
    throw cause;
  } finally {
    await write(options.sysfs, folder, "buffer/enable", "0").catch(() => {});
  }
  if (!signal.aborted) {
    throw new SenseError("DEVICE_FAILED", `${path} came to its end`, {
      hint: "Was the sensor unplugged, or its driver unloaded? dmesg tells.",
    });
  }
}

/** The sensor's own timestamp of the first sample, in microseconds. */
function stampOf(view: DataView, layout: readonly ScanElement[]): number | undefined {
  const stamp = layout.find(({ name }) => name === "in_timestamp");
  return stamp && micros(decodeElement(view, 0, stamp) / 1e3);
}

interface Channel {
  readonly name: string;
  readonly element: ScanElement;
  /** With the sign of its axis. */
  readonly scale: number;
}

/** Chooses the elements of a scan, sets the rate, and starts the buffer. */
async function setUp(options: IioOptions) {
  const { sysfs, device, axes } = options;
  const sensor = (await iioSensors(sysfs)).find(({ folder, name }) => folder === device || name === device);
  if (!sensor) {
    throw new SenseError("DEVICE_ABSENT", `no IIO sensor is called ${device}`, {
      hint: "`sensebind devices` lists them; a driver may be missing: ls /sys/bus/iio/devices",
    });
  }
  const { folder } = sensor;
  const files = await readdir(join(sysfs, folder, "scan_elements"));
  const present = quantities.filter(({ iio }) => files.includes(`in_${iio}_x_en`));
  const wanted = present.flatMap(({ iio }) => ["x", "y", "z"].map((axis) => `in_${iio}_${axis}`));
  await write(sysfs, folder, "buffer/enable", "0");
  // Wall time where the kernel can: otherwise the timestamps are mapped like those of any device.
  await write(sysfs, folder, "current_timestamp_clock", "realtime").catch(() => {});
  for (const file of files.filter((file) => file.endsWith("_en"))) {
    const name = file.replace(/_en$/, "");
    await write(sysfs, folder, `scan_elements/${file}`, wanted.includes(name) || name === "in_timestamp" ? "1" : "0");
  }
  const layout = await scanLayout(
    join(sysfs, folder, "scan_elements"),
    (name) => wanted.includes(name) || name === "in_timestamp",
  );
  const rateFile = files.length > 0 && options.rate !== undefined;
  if (rateFile) await write(sysfs, folder, "sampling_frequency", String(options.rate));
  const rate = options.rate ?? Number(await read(sysfs, folder, ["sampling_frequency", "in_accel_sampling_frequency"]));
  const channels: Channel[] = [];
  for (const { iio, letter } of present) {
    const scale = Number(await read(sysfs, folder, [`in_${iio}_scale`, `in_${iio}_x_scale`]));
    axes.forEach((axis, i) => {
      const element = layout.find(({ name }) => name === `in_${iio}_${axis.replace("-", "")}`)!;
      channels.push({ name: `${letter}${"xyz"[i]}`, element, scale: axis.startsWith("-") ? -scale : scale });
    });
  }
  await write(sysfs, folder, "buffer/length", "256").catch(() => {});
  await write(sysfs, folder, "buffer/enable", "1");
  return { folder, layout, channels, rate };
}

async function write(sysfs: string, folder: string, file: string, value: string): Promise<void> {
  await writeFile(join(sysfs, folder, file), value).catch((cause: NodeJS.ErrnoException) => {
    throw new SenseError("DEVICE_FAILED", `${join(sysfs, folder, file)} cannot be set to ${value} (${cause.code})`, {
      hint: "Setting up IIO needs root, or a udev rule that gives its group the right.",
      cause,
    });
  });
}

/** The first of the files that is there. */
async function read(sysfs: string, folder: string, files: readonly string[]): Promise<string> {
  for (const file of files) {
    const text = await readFile(join(sysfs, folder, file), "utf8").catch(() => undefined);
    if (text !== undefined) return text.trim();
  }
  throw new SenseError("DEVICE_FAILED", `${join(sysfs, folder)} has none of ${files.join(", ")}`, {
    hint: "Give the missing value as an option, for instance rate.",
  });
}
