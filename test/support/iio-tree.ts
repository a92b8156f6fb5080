import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A sensor as the kernel shows it: accelerometer and gyroscope of 16 bits, a timestamp, a temperature that nobody asked for; and its fifo. */
export function makeIioTree(root: string): { readonly sensor: string; readonly fifo: string } {
  const sensor = join(root, "sys/iio:device0");
  const fifo = join(root, "dev/iio:device0");
  mkdirSync(join(sensor, "scan_elements"), { recursive: true });
  mkdirSync(join(sensor, "buffer"));
  mkdirSync(join(root, "dev"));
  const put = (file: string, value: string): void => writeFileSync(join(sensor, file), `${value}\n`);
  put("name", "lsm6ds");
  put("sampling_frequency", "100");
  put("in_accel_scale", "0.001");
  put("in_anglvel_scale", "0.0001");
  for (const file of ["buffer/enable", "buffer/length", "current_timestamp_clock"]) put(file, "0");
  const elements = ["anglvel_x", "anglvel_y", "anglvel_z", "accel_x", "accel_y", "accel_z"].map((name, i) => [
    name,
    i,
    "le:s16/16>>0",
  ]);
  for (const [name, index, type] of [...elements, ["temp", 6, "be:s12/16>>4"], ["timestamp", 7, "le:s64/64>>0"]]) {
    put(`scan_elements/in_${name}_en`, name === "temp" ? "1" : "0");
    put(`scan_elements/in_${name}_index`, String(index));
    put(`scan_elements/in_${name}_type`, String(type));
  }
  execFileSync("mkfifo", [fifo]);
  return { sensor, fifo };
}

/** A scan of that sensor: gyroscope, accelerometer, four bytes of padding, nanoseconds. */
export function iioScan(i: number, nanoseconds: bigint): Buffer {
  const bytes = Buffer.alloc(24);
  [10, 20, 30, 1000 + (i % 1000), -2000, 9807].forEach((value, k) => void bytes.writeInt16LE(value, k * 2));
  bytes.writeBigInt64LE(nanoseconds, 16);
  return bytes;
}
