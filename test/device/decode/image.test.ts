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
