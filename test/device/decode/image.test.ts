import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isSenseError } from "../../../src/core/errors.js";
import { decodeImage, encodeImage, readImage, toRgb } from "../../../src/device/decode/sharp.js";

const folder = new URL("../../golden/decode/", import.meta.url).pathname;
const pictures = readdirSync(folder).filter((file) => /\.(png|jpg|webp)$/.test(file));

test.each(pictures)("%s gives the bytes of Pillow's convert('RGB')", async (file) => {
  const rgb = toRgb(await readImage(folder + file));
  expect(Buffer.compare(rgb, readFileSync(`${folder}${file}.rgb`))).toBe(0);
});

test("a 16-bit grey PNG keeps its values, and survives being written", async () => {
  const data = Uint16Array.from({ length: 12 }, (_, i) => i * 5000 + 3);
  const png = await encodeImage({ width: 4, height: 3, channels: 1, depth: 16, data });
  expect(await decodeImage(png)).toEqual({ width: 4, height: 3, channels: 1, depth: 16, data });
});

test.each([
  ["nothing", new Uint8Array()],
  ["garbage", new TextEncoder().encode("no picture at all")],
  ["half a JPEG", readFileSync(`${folder}rgb.jpg`).subarray(0, 700)],
  ["a PNG with a flipped byte", readFileSync(`${folder}rgb.png`).fill(0x5a, 300, 310)],
])("%s is BAD_IMAGE and says which picture", async (_, bytes) => {
  const error = await decodeImage(bytes, { source: "photo7" }).catch((e: unknown) => e);
  expect(isSenseError(error, "BAD_IMAGE") && error.message).toMatch(/^photo7 could not be decoded/);
});

test("a missing and an empty file are FILE_UNREADABLE", async () => {
  const missing = await readImage(`${folder}none.png`).catch((e: unknown) => e);
  expect(isSenseError(missing, "FILE_UNREADABLE") && missing.message).toMatch(/none\.png does not exist/);
  expect(isSenseError(await readImage(folder).catch((e: unknown) => e), "FILE_UNREADABLE")).toBe(true);
});

test("a large JPEG of a live camera is shrunk while it is decoded, a small one and a PNG are not touched", async () => {
  const size = { width: 900, height: 700, channels: 3, depth: 8 } as const;
  const data = Uint8Array.from({ length: 900 * 700 * 3 }, (_, i) => 127 + 100 * Math.sin(i / 5000));
  const jpeg = await encodeImage({ ...size, data });
  expect(await decodeImage(jpeg, { atLeast: 200 })).toMatchObject({ width: 257, height: 200, channels: 3, depth: 8 });
  expect(await decodeImage(jpeg, { atLeast: 240 })).toEqual(await decodeImage(jpeg));
  const png = readFileSync(`${folder}rgb.png`);
  expect(await decodeImage(png, { atLeast: 2 })).toEqual(await decodeImage(png));
});
