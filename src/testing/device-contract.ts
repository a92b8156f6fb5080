import assert from "node:assert/strict";
import { isSenseError } from "../core/errors.js";
import { silent } from "../core/log.js";
import type { Reading } from "../core/reading.js";
import { decodeReading, encodeReading } from "../core/recording.js";
import { type Clock, micros, s } from "../core/time.js";
import type { Device, DeviceContext } from "../device/define.js";
import { parseOptions } from "../device/options.js";
import { pause } from "../device/pause.js";
import type { ContractCase } from "./runtime-contract.js";

export interface DeviceContractOptions {
  /** Options that open it where the test runs. */
  readonly options: unknown;
  /** Readings that are looked at; it must give at least so many. */
  readonly count?: number;
  /** Relative paths in the options start here. */
  readonly folder?: string;
  /** The host's clock unless given. */
  readonly clock?: Clock;
}

const hostClock: Clock = { now: () => micros(Date.now() * 1e3) };

/** A device must let go within this. */
const patience = s(5);

/** What every device must keep: run each case as a test of its own. */
export function deviceContract(
  device: Device,
  { options, count = 3, folder = ".", clock = hostClock }: DeviceContractOptions,
): readonly ContractCase[] {
  const context = (signal: AbortSignal): DeviceContext => ({
    signal,
    clock,
    log: silent,
    folder,
  });
  const open = (signal: AbortSignal): AsyncIterable<Reading> =>
    device.readings(parseOptions(device, options), context(signal));
  const take = async (): Promise<Reading[]> => {
    const found: Reading[] = [];
    for await (const reading of open(new AbortController().signal)) {
      found.push(reading);
      if (found.length === count) break;
    }
    assert.equal(found.length, count, `it gave ${found.length} readings`);
    return found;
  };
  return [
    {
      promise: "it says what it is",
      async check() {
        assert.match(device.name, /^[a-z0-9-]+$/);
        assert.ok(device.title.length > 0 && device.modalities.length > 0);
      },
    },
    {
      promise: "an option that it does not have is BAD_CONFIG, by name",
      async check() {
        const wrong = { ...(options as object), "no-such-option": 1 };
        assert.throws(
          () => parseOptions(device, wrong),
          (error) => isSenseError(error, "BAD_CONFIG") && error.message.includes("no-such-option"),
        );
      },
    },
    {
      promise: "its readings are of a modality that it has, well-formed, and in the order of their times",
      async check() {
        let last = Number.NEGATIVE_INFINITY;
        for (const reading of await take()) {
          assert.ok(device.modalities.includes(reading.modality), reading.modality);
          assert.ok(Number.isSafeInteger(reading.time) && reading.time >= last, `${reading.time} after ${last}`);
          last = reading.time;
          checkForm(reading);
        }
      },
    },
    {
      promise: "it does not touch a reading that it has given away",
      async check() {
        const kept: { reading: Reading; copy: Uint8Array }[] = [];
        for await (const reading of open(new AbortController().signal)) {
          kept.push({ reading, copy: encodeReading(reading) });
          if (kept.length === count) break;
        }
        for (const { reading, copy } of kept) assert.deepEqual(encodeReading(reading), copy);
      },
    },
    {
      promise: "its readings can be recorded",
      async check() {
        for (const reading of await take()) {
          const copy = decodeReading(encodeReading(reading), reading.time);
          assert.deepEqual(encodeReading(copy), encodeReading(reading));
        }
      },
    },
    {
      promise: "it ends soon after the signal, and can be opened again",
      async check() {
        const stop = new AbortController();
        const readings = open(stop.signal)[Symbol.asyncIterator]();
        assert.ok(!(await readings.next()).done);
        stop.abort();
        await within(drain(readings));
        assert.equal((await take()).length, count);
      },
    },
    {
      promise: "it lets go when its reader leaves",
      async check() {
        const readings = open(new AbortController().signal)[Symbol.asyncIterator]();
        await readings.next();
        await within(readings.return?.() ?? Promise.resolve());
      },
    },
  ];
}

function checkForm(reading: Reading): void {
  if (reading.kind === "frame") {
    const channels = reading.format === "rgb8" ? 3 : 1;
    assert.equal(reading.data.length, reading.width * reading.height * channels);
    const Type = { rgb8: Uint8Array, gray8: Uint8Array, gray16: Uint16Array, float32: Float32Array }[reading.format];
    assert.ok(reading.data instanceof Type, `${reading.format} as ${reading.data.constructor.name}`);
  } else if (reading.kind === "block") {
    assert.ok(reading.data.length > 0 && reading.data.length % reading.channels.length === 0);
    assert.ok(reading.rate > 0 && new Set(reading.channels).size === reading.channels.length);
    if (reading.modality === "audio") assert.ok(reading.data.every((value) => Math.abs(value) <= 1));
  } else assert.ok(reading.data.length > 0);
}

async function drain(readings: AsyncIterator<Reading>): Promise<void> {
  while (!(await readings.next()).done);
}

async function within(work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const late = pause(patience, done.signal).then(() => assert.ok(done.signal.aborted, "it did not let go"));
  await Promise.race([work, late]);
  done.abort();
  await late;
}
