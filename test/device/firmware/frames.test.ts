import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { isSenseError } from "../../../src/core/errors.js";
import { seeded } from "../../../src/core/random.js";
import { micros } from "../../../src/core/time.js";
import { parseSchema, readSchema, schemaIds } from "../../../src/device/firmware/catalog.js";
import { cobsDecode, cobsEncode } from "../../../src/device/firmware/cobs.js";
import { Deframer } from "../../../src/device/firmware/deframe.js";
import { decodeFrame, encodeFrame } from "../../../src/device/firmware/frame.js";
import { goldenDocument } from "../../../src/device/firmware/golden.js";
import { frameReading } from "../../../src/device/firmware/reading.js";
import type { FirmwareSchema } from "../../../src/device/firmware/schema.js";
import { FrameStream } from "../../../src/device/firmware/stream.js";

const folder = new URL("../../../firmware-schemas/", import.meta.url);
const ids = await schemaIds();
let imu: FirmwareSchema;
beforeAll(async () => {
  imu = await readSchema("imu-6axis.v1");
});

const frame = (seq: number): Uint8Array => {
  const random = seeded(seq + 1);
  const any = () => Array.from({ length: 3 }, () => Math.floor(random() * 65536) - 32768);
  return encodeFrame(imu, { seq: seq & 0xffff, time: (seq * 10_000) >>> 0, fields: { accel: any(), gyro: any() } });
};
const joined = (frames: readonly Uint8Array[]): Uint8Array => Buffer.concat(frames);

test("stuffing loses nothing and leaves no zero but the last", () => {
  const block = fc.uint8Array({ maxLength: 600 });
  const mostlyFull = block.map((bytes) => bytes.map((byte) => byte || 7));
  fc.assert(
    fc.property(fc.oneof(block, mostlyFull), (bytes) => {
      const stuffed = cobsEncode(bytes);
      expect(stuffed.indexOf(0)).toBe(stuffed.length - 1);
      expect(cobsDecode(stuffed.subarray(0, -1))).toEqual(bytes);
    }),
  );
});

test.each(ids)("%s: the golden frames beside the schema are what the encoder makes", async (id) => {
  expect(readFileSync(new URL(`${id}.golden.json`, folder), "utf8")).toBe(goldenDocument(await readSchema(id)));
});

test("the first golden frame of a six-axis sensor is written out by hand", async () => {
  // 01 01 | 0000 | 00000000 | 12 zeros | CRC-16/CCITT-FALSE of these 20 bytes, then stuffed.
  const { frames } = JSON.parse(readFileSync(new URL("imu-6axis.v1.golden.json", folder), "utf8"));
  expect(frames[0].hex).toMatch(/^030101(01){17}03[0-9a-f]{4}00$/);
});

test("values come out in the units of the schema", async () => {
  const still = { seq: 0, time: 0, fields: { accel: [0, 0, 8192], gyro: [65.5 * 90, 0, 0].map(Math.round) } };
  const reading = frameReading(imu, still, micros(5));
  expect(reading).toMatchObject({ kind: "block", modality: "imu", channels: ["ax", "ay", "az", "gx", "gy", "gz"] });
  const values = [...reading!.data];
  expect(values[2]).toBeCloseTo(9.80665, 5);
  expect(values[3]).toBeCloseTo(Math.PI / 2, 4);
});

test("pixels without a valid mark are NaN, frames behind the shutter are dropped", async () => {
  const tof = await readSchema("vl53l5cx.v1");
  const status = Array.from({ length: 64 }, (_, i) => (i === 0 ? 5 : i === 1 ? 9 : 0));
  const depth = frameReading(
    tof,
    { seq: 0, time: 0, fields: { distance: new Array(64).fill(1250), status } },
    micros(0),
  );
  expect([...depth!.data].slice(0, 3)).toEqual([1.25, 1.25, Number.NaN]);
  const lepton = await readSchema("lepton-spi.v1");
  const content = (ffc: number) => ({ seq: 0, time: 0, fields: { pixels: new Array(4800).fill(30015), ffc: [ffc] } });
  expect(frameReading(lepton, content(2), micros(0))).toBeUndefined();
  expect(frameReading(lepton, content(0), micros(0))!.data[0]).toBeCloseTo(27, 4);
});

describe("a line that cuts, merges, changes, repeats and loses bytes", () => {
  test("any cutting of the stream into pieces gives the same frames", () => {
    const bytes = joined(Array.from({ length: 50 }, (_, i) => frame(i)));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 60 }), (sizes) => {
        const deframer = new Deframer(imu);
        const found: number[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length]!;
          found.push(...deframer.push(bytes.subarray(at, at + size)).map(({ seq }) => seq));
          at += size;
        }
        expect(found).toEqual(Array.from({ length: 50 }, (_, i) => i));
        expect(deframer.counts).toEqual({ lost: 0, corrupt: 0, duplicates: 0, restarts: 0 });
      }),
    );
  });

  test("every intact frame arrives, no damaged one does, and the losses are counted exactly", () => {
    const kinds = ["keep", "change", "drop", "cut", "lose zero", "repeat", "noise"] as const;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...kinds), { minLength: 3, maxLength: 60 }), fc.nat(1e6), (damage, seed) => {
        const random = seeded(seed);
        const pieces: Uint8Array[] = [];
        const intact: number[] = [];
        const last = damage.length + 1;
        ["keep", ...damage, "keep"].forEach((kind, seq) => {
          const bytes = Uint8Array.from(frame(seq));
          if (kind === "drop") return;
          const at = Math.floor(random() * (bytes.length - 1));
          if (kind === "change") bytes[at] = (bytes[at]! + 1 + Math.floor(random() * 254)) & 0xff;
          if (kind === "noise")
            pieces.push(
              Uint8Array.from({ length: 9 }, () => Math.floor(random() * 256)),
              Uint8Array.of(0),
            );
          // What follows a lost zero is searched for, so both frames are intact.
          const cut = kind === "cut" ? bytes.subarray(0, at) : kind === "lose zero" ? bytes.subarray(0, -1) : bytes;
          pieces.push(cut);
          if (kind === "repeat") pieces.push(bytes);
          if (kind !== "change" && kind !== "cut") intact.push(seq);
        });
        const deframer = new Deframer(imu);
        expect(deframer.push(joined(pieces)).map(({ seq }) => seq)).toEqual(intact);
        const { lost, duplicates, restarts } = deframer.counts;
        expect(lost).toBe(last + 1 - intact.length);
        expect(duplicates).toBe(damage.filter((kind) => kind === "repeat").length);
        expect(restarts).toBe(0);
      }),
    );
  });

  test("a sequence and a clock that wrap are no loss; a device that begins anew is a restart", () => {
    const at = (seq: number, time: number) =>
      encodeFrame(imu, { seq, time, fields: { accel: [1, 2, 3], gyro: [4, 5, 6] } });
    const deframer = new Deframer(imu);
    deframer.push(joined([at(65534, 2 ** 32 - 10_000), at(65535, 2 ** 32 - 1), at(0, 9_999), at(1, 19_999)]));
    expect(deframer.counts).toMatchObject({ lost: 0, restarts: 0 });
    deframer.push(at(0, 500));
    deframer.push(at(2, 20_500));
    expect(deframer.counts).toMatchObject({ lost: 1, restarts: 1 });
  });

  test("a line of noise without end takes no memory and no time, and the next frame is found", () => {
    const deframer = new Deframer(imu);
    const noise = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i % 255) + 1);
    deframer.push(noise);
    expect(deframer.push(joined([Uint8Array.of(0), frame(7)])).map(({ seq }) => seq)).toEqual([7]);
    expect(deframer.counts.corrupt).toBe(1);
  });
});

test("a schema that contradicts itself is refused, with what is wrong", () => {
  const wrong = (change: (schema: Record<string, unknown>) => void): string => {
    const schema = JSON.parse(JSON.stringify(imu));
    change(schema);
    try {
      parseSchema(JSON.stringify(schema), "mine.json");
      return "accepted";
    } catch (error) {
      return isSenseError(error, "BAD_CONFIG") ? error.message : String(error);
    }
  };
  expect(wrong((s) => delete s.rate)).toMatch(/mine\.json.*rate/);
  expect(wrong((s) => (s.reading as { channels: string[] }).channels.pop())).toMatch(/5 channels of 1 samples/);
  expect(wrong((s) => Object.assign(s, { surprise: 1 }))).toMatch(/surprise/);
});

test("an unknown schema names the one that was probably meant", async () => {
  const error = await readSchema("imu-6axes.v1").catch((e: unknown) => e);
  expect(isSenseError(error, "BAD_CONFIG") && error.hint).toMatch(/"imu-6axis.v1"/);
});

test("answers to time pings take the delay of the line out of event time, and are no readings", async () => {
  const timesync = await readSchema("timesync.v1");
  const start = 1.8e15;
  let now = start;
  const clock = { now: () => micros(now) };
  const stream = new FrameStream(imu, { clock, timesync, tell: () => {} });
  const delay = 30_000;
  const errors: number[] = [];
  for (let i = 0; i < 500; i++) {
    const taken = start + i * 10_000;
    now = taken;
    const ping = i % 50 === 0 ? stream.ping() : undefined;
    const asked = ping && decodeFrame(timesync, ping.subarray(0, -1));
    now = taken + delay;
    const readings = stream.push(
      encodeFrame(imu, { seq: i, time: i * 10_000, fields: { accel: [0, 0, 0], gyro: [0, 0, 0] } }),
    );
    errors.push(readings[0]!.time - taken);
    // The device answers 200 us after the question, and its answer takes as long.
    now = taken + 400;
    const answer = asked && encodeFrame(timesync, { seq: 0, time: i * 10_000 + 200, fields: asked.fields });
    if (answer) expect(stream.push(answer)).toEqual([]);
  }
  expect(Math.abs(errors[0]! - delay)).toBeLessThan(10);
  expect(Math.max(...errors.slice(100).map(Math.abs))).toBeLessThan(500);
});
