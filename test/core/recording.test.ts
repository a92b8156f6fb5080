import fc from "fast-check";
import { expect, test } from "vitest";
import { isSenseError } from "../../src/core/errors.js";
import type { Reading } from "../../src/core/reading.js";
import { decodeReading, encodeReading } from "../../src/core/recording.js";
import { hz, micros } from "../../src/core/time.js";

const time = fc.nat(2 ** 40).map(micros);
const bytes = fc.uint8Array({ maxLength: 60 });
const floats = fc.float32Array({ minLength: 0, maxLength: 40 });
const encoded = fc.record({
  kind: fc.constant("encoded" as const),
  modality: fc.constant("vision" as const),
  time,
  mime: fc.constantFrom("image/jpeg" as const, "image/png" as const, "image/webp" as const),
  data: bytes,
});
const block = fc
  .record({ time, rate: fc.double({ min: 0.001, max: 1e6, noNaN: true }), rows: fc.array(floats, { maxLength: 3 }) })
  .map(({ time, rate, rows }) => {
    const channels = ["ax", "température", "z"];
    const data = new Float32Array(Math.floor(rows.flatMap((row) => [...row]).length / 3) * 3);
    data.set(rows.flatMap((row) => [...row]).slice(0, data.length));
    return { kind: "block" as const, modality: "imu" as const, time, channels, rate: hz(rate), data };
  });
const frame = fc
  .record({
    ...{ time, width: fc.nat(9), height: fc.nat(9), format: fc.constantFrom("rgb8", "gray8", "gray16", "float32") },
    known: fc.option(fc.record({ fx: fc.double({ noNaN: true }), cy: fc.double({ noNaN: true }) })),
  })
  .map(({ time, width, height, format, known }): Reading => {
    const size = width * height;
    const rgb = Uint8Array.from({ length: size * 3 }, (_, i) => i * 7);
    const data = {
      rgb8: rgb,
      gray8: rgb.slice(0, size),
      gray16: Uint16Array.from({ length: size }, (_, i) => i * 999),
    };
    const chosen = format in data ? data[format as keyof typeof data] : new Float32Array(size).fill(Number.NaN);
    const intrinsics = known && { ...known, width: 640, height: 70_000, fy: 1.5, cx: -0.25 };
    return {
      ...{ kind: "frame", modality: "depth", time, width, height, format: format as "rgb8", data: chosen },
      ...(intrinsics && { intrinsics }),
    };
  });

test("every reading comes back as it was, to the bit", () => {
  fc.assert(
    fc.property(fc.oneof(encoded, block, frame), (reading) => {
      // A message may start at any address of the file's buffer.
      const message = encodeReading(reading);
      const shifted = new Uint8Array(message.length + 1);
      shifted.set(message, 1);
      expect(decodeReading(shifted.subarray(1), reading.time)).toEqual(reading);
    }),
  );
});

test("sound from a 16-bit converter takes two bytes a sample, other sound loses nothing", () => {
  const sound = (data: Float32Array): Reading => ({
    kind: "block",
    modality: "audio",
    time: micros(5),
    channels: ["left"],
    rate: hz(16000),
    data,
  });
  const integers = sound(Float32Array.from({ length: 1000 }, (_, i) => (i * 65 - 32768) / 32768));
  expect(encodeReading(integers).length).toBeLessThan(2030);
  expect(decodeReading(encodeReading(integers), micros(5))).toEqual(integers);
  for (const odd of [0.1, 1, -0, Number.NaN, Number.POSITIVE_INFINITY]) {
    const reading = sound(Float32Array.of(0.5, odd));
    expect(decodeReading(encodeReading(reading), micros(5))).toEqual(reading);
  }
});

test("no bytes crash the decoder: they are a reading or BAD_RECORDING", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(3), (message, kind) => {
      if (message.length > 1) message.set([kind, message[1]! % 7]);
      try {
        decodeReading(message, micros(0));
      } catch (error) {
        expect(isSenseError(error, "BAD_RECORDING")).toBe(true);
      }
    }),
  );
});
