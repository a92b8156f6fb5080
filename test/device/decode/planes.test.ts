import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isSenseError } from "../../../src/core/errors.js";
import { encodeNpy } from "../../../src/core/npy.js";
import { readDepth } from "../../../src/device/decode/depth.js";
import { encodeImage } from "../../../src/device/decode/sharp.js";
import { centikelvin, readThermal } from "../../../src/device/decode/thermal.js";

const folder = mkdtempSync(join(tmpdir(), "planes-"));
const golden = new URL("../../golden/decode/", import.meta.url).pathname;
const png16 = async (values: number[]): Promise<string> => {
  const path = join(folder, `${values.join("-")}.png`);
  const data = Uint16Array.from(values);
  writeFileSync(path, await encodeImage({ width: values.length, height: 1, channels: 1, depth: 16, data }));
  return path;
};
const npy = (name: string, data: Float32Array, dims: number[]): string => {
  const path = join(folder, name);
  writeFileSync(path, encodeNpy({ dims, data }));
  return path;
};

test("depth is metres, and no reading is NaN, not zero", async () => {
  expect([...(await readDepth(await png16([0, 1, 1500, 65535]))).data]).toEqual(
    [Number.NaN, 0.001, 1.5, 65.535].map(Math.fround),
  );
  const floats = npy("d.npy", Float32Array.of(0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2.5, 3), [2, 3]);
  expect(await readDepth(floats)).toEqual({
    width: 3,
    height: 2,
    data: Float32Array.of(Number.NaN, Number.NaN, Number.NaN, Number.NaN, 2.5, 3),
  });
});

test("a depth picture of 8 bits is refused: its steps are no millimetres", async () => {
  const error = await readDepth(`${golden}l.png`).catch((e: unknown) => e);
  expect(isSenseError(error, "BAD_IMAGE") && error.hint).toMatch(/16-bit grey PNG/);
});

test("thermal counts become °C only where their meaning is given", async () => {
  const path = await png16([27315, 30015]);
  expect(await readThermal(path)).toEqual({
    width: 2,
    height: 1,
    format: "gray16",
    data: Uint16Array.of(27315, 30015),
  });
  const celsius = await readThermal(path, { radiometry: centikelvin });
  expect(celsius.format).toBe("float32");
  expect(celsius.data[0]).toBeCloseTo(0, 4);
  expect(celsius.data[1]).toBeCloseTo(27, 4);
  const floats = await readThermal(npy("t.npy", Float32Array.of(20, 21), [1, 2]));
  expect(floats.format).toBe("float32");
});

test("8-bit thermal pictures stay as they are", async () => {
  const { format, data } = await readThermal(`${golden}l.png`);
  expect([format, data.length]).toEqual(["gray8", 2400]);
});
