import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isSenseError } from "../../../src/core/errors.js";
import { decodeAudio, readAudio } from "../../../src/device/decode/audio.js";
import { decodeWav } from "../../../src/device/decode/wav.js";

const folder = new URL("../../golden/decode/", import.meta.url).pathname;

/** A WAV file of the given format tag, with `size` claimed for its data. */
function wav(
  tag: number,
  {
    bits = 16,
    channels = 1,
    rate = 8000,
    data = new Uint8Array(),
    size,
  }: { bits?: number; channels?: number; rate?: number; data?: Uint8Array; size?: number } = {},
) {
  const bytes = new Uint8Array(44 + data.length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("RIFF\0\0\0\0WAVEfmt "));
  view.setUint32(16, 16, true);
  view.setUint16(20, tag, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint16(32, (bits / 8) * channels, true);
  view.setUint16(34, bits, true);
  bytes.set(new TextEncoder().encode("data"), 36);
  view.setUint32(40, size ?? data.length, true);
  bytes.set(data, 44);
  return bytes;
}

// Between them the FLAC files have every way of coding two channels, blocks of one value, and samples with low bits of zero.
const exact = ["stereo16", "stereo24", "correlated", "rightside", "wasted"].map((name) => `${name}.flac`);

test.each([...exact, "alaw.wav", "mulaw.wav"])("%s is exact to the sample", async (file) => {
  const sound = await readAudio(folder + file);
  const expected = await readAudio(`${folder}${file}.wav`);
  expect(sound.rate).toBe(expected.rate);
  expect(sound.channels).toBe(expected.channels);
  expect(Buffer.compare(Buffer.from(sound.data.buffer), Buffer.from(expected.data.buffer))).toBe(0);
});

test.each(["mono.mp3", "mono.ogg"])("%s gives what ffmpeg gives, to 1e-5", async (file) => {
  const sound = await readAudio(folder + file);
  const expected = await readAudio(`${folder}${file}.wav`);
  expect([sound.rate, sound.channels]).toEqual([expected.rate, expected.channels]);
  const length = Math.min(sound.data.length, expected.data.length);
  expect(length).toBeGreaterThan(3000);
  let worst = 0;
  for (let i = 0; i < length; i++) worst = Math.max(worst, Math.abs(sound.data[i]! - expected.data[i]!));
  expect(worst).toBeLessThan(1e-5);
});

test("integer samples are divided by their half range", () => {
  const of = (tag: number, bits: number, data: number[]) => [
    ...decodeWav(wav(tag, { bits, data: Uint8Array.from(data) })).data,
  ];
  expect(of(1, 8, [0, 128, 255])).toEqual([-1, 0, 127 / 128]);
  expect(of(1, 16, [0, 0x80, 0xff, 0x7f])).toEqual([-1, 32767 / 32768]);
  expect(of(1, 24, [0, 0, 0x80, 1, 0, 0])).toEqual([-1, 1 / 2 ** 23]);
  expect(of(1, 32, [0, 0, 0, 0x80, 0, 0, 0, 0x40])).toEqual([-1, 0.5]);
  expect(of(3, 32, [...new Uint8Array(Float32Array.of(0.25).buffer)])).toEqual([0.25]);
});

test("10 ms of sound, a file cut off in its samples and one whose recorder was killed give what is there", () => {
  const data = new Uint8Array(160).fill(1);
  expect(decodeWav(wav(1, { data })).data).toHaveLength(80);
  for (const size of [0, 1000, 0xffffffff]) expect(decodeWav(wav(1, { data, size })).data).toHaveLength(80);
});

test.each([
  ["an empty file", new Uint8Array(), /is not WAV/],
  ["a text", new TextEncoder().encode("hello, this is text"), /is not WAV/],
  ["a header alone", wav(1), /has no samples/],
  ["ADPCM", wav(17, { bits: 8, data: new Uint8Array(8) }), /format 17/],
  ["no channels", wav(1, { channels: 0, data: new Uint8Array(8) }), /0 channels/],
  ["a float that is no number", wav(3, { bits: 32, data: new Uint8Array(4).fill(255) }), /not a number, at 0/],
])("%s is BAD_AUDIO and says why", async (_, bytes, message) => {
  const error = await decodeAudio(bytes, { source: "clip" }).catch((e: unknown) => e);
  expect(isSenseError(error, "BAD_AUDIO") && error.message).toMatch(message);
});

test("a FLAC file cut anywhere gives the frames before the cut, one with a changed byte is refused", async () => {
  const bytes = readFileSync(`${folder}stereo16.flac`);
  const whole = await readAudio(`${folder}stereo16.flac`);
  const half = await decodeAudio(bytes.subarray(0, bytes.length >> 1));
  expect(half.data.length).toBeGreaterThan(1000);
  expect([...half.data]).toEqual([...whole.data.subarray(0, half.data.length)]);
  const changed = Uint8Array.from(bytes);
  changed[bytes.length >> 1]! ^= 4;
  expect(isSenseError(await decodeAudio(changed).catch((e: unknown) => e), "BAD_AUDIO")).toBe(true);
});

test("no damage makes a decoder crash or hang: it gives sound or BAD_AUDIO", async () => {
  const files = ["stereo16.flac", "alaw.wav", "mono.mp3", "mono.ogg"].map((file) => readFileSync(folder + file));
  const damage = fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...files), damage, fc.nat(4000), async (file, changes, length) => {
      const bytes = Uint8Array.from(file.subarray(0, length));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      const result = await decodeAudio(bytes).catch((e: unknown) => e);
      expect(result instanceof Error ? isSenseError(result, "BAD_AUDIO") : true).toBe(true);
    }),
    { numRuns: 150 },
  );
});
