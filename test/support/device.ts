import { type Log, silent } from "../../src/core/log.js";
import type { Reading } from "../../src/core/reading.js";
import { type Clock, micros } from "../../src/core/time.js";
import type { Device, DeviceContext, DeviceFacts } from "../../src/device/define.js";
import { parseOptions } from "../../src/device/options.js";

export const wallClock: Clock = { now: () => micros(Date.now() * 1e3) };

export interface OpenOptions {
  readonly options: unknown;
  /** Leave after so many readings. */
  readonly count?: number;
  readonly context?: Partial<DeviceContext>;
}

/** What a device gives and tells until it ends, or until `count` readings have come. */
export async function readDevice<O>(device: Device<O>, { options, count = 1e9, context = {} }: OpenOptions) {
  const readings: Reading[] = [];
  const warnings: string[] = [];
  let facts: DeviceFacts = {};
  const tell = (more: DeviceFacts): void => {
    facts = { ...facts, ...more };
  };
  const log: Log = { ...silent, warn: (_, message) => void warnings.push(message) };
  const whole = { signal: new AbortController().signal, clock: wallClock, log, folder: ".", tell, ...context };
  for await (const reading of device.readings(parseOptions(device, options), whole)) {
    readings.push(reading);
    if (readings.length >= count) break;
  }
  return { readings, facts, warnings };
}
