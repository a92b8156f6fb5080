import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { isSenseError } from "../../../src/core/errors.js";
import { encodeNpy } from "../../../src/core/npy.js";
import { readSeries } from "../../../src/device/decode/series.js";

const folder = mkdtempSync(join(tmpdir(), "series-"));
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const refusal = (path: string, options = {}) =>
  readSeries(path, options).then(
    () => "nothing was refused",
    (e: unknown) => (isSenseError(e) ? `${e.code}: ${e.message.replace(folder, "")} (${e.hint})` : `${e}`),
  );

test("columns of a CSV are found by their names, so that no channel is ever taken for another", async () => {
  const path = file("mixed.csv", "gz,Time,ay,ax,az,gy,gx\r\n6,0,2,1,3,5,4\r\n66,0.005,22,11,33,55,44\r\n");
  const { data, rate, times } = await readSeries(path);
  expect([...data]).toEqual([1, 2, 3, 4, 5, 6, 11, 22, 33, 44, 55, 66]);
  expect(rate).toBe(200);
  expect([...times!]).toEqual([0, 0.005]);
});

test("a rate comes from the times, whatever gaps and rounding they have", async () => {
  const rows = Array.from({ length: 300 }, (_, i) => `${(i / 30 + (i > 100 ? 5 : 0)).toFixed(3)},1,2,3,4,5,6`);
  expect((await readSeries(file("rounded.csv", rows.join("\n")))).rate).toBeCloseTo(30, 1);
});

test("raw counts become units by one factor a channel, gzipped or not; without factors they are marked", async () => {
  const npy = encodeNpy({ dims: [2, 6], data: Int16Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) });
  const scale = [2, 2, 2, 0.5, 0.5, 0.5];
  for (const path of [file("a.npy", npy), file("a.npy.gz", gzipSync(npy))]) {
    const series = await readSeries(path, { rate: 200, scale });
    expect([...series.data]).toEqual([2, 4, 6, 2, 2.5, 3, 14, 16, 18, 5, 5.5, 6]);
    expect(series.counts).toBe(false);
    expect((await readSeries(path, { rate: 200 })).counts).toBe(true);
  }
});

test("what cannot be used is refused with the place and what to do", async () => {
  const npy = (dims: number[]) => encodeNpy({ dims, data: new Float32Array(dims[0]! * dims[1]!) });
  expect(await refusal(file("t.npy", npy([6, 50])), { rate: 1 })).toMatch(/BAD_TENSOR.*\[6, 50\].*transpose/);
  expect(await refusal(file("r.npy", npy([50, 6])))).toMatch(/how many samples a second.*--rate/);
  expect(await refusal(file("z.npy.gz", gzipSync("no array")), { rate: 1 })).toMatch(/BAD_TENSOR.*does not begin/);
  expect(await refusal(file("cut.npy.gz", gzipSync(npy([50, 6])).subarray(0, 60)), { rate: 1 })).toMatch(/BAD_TENSOR/);
  expect(await refusal(file("c.csv", "time,ax,ay,az,gx,gy\n0,1,2,3,4,5"))).toMatch(/no column gz/);
  expect(await refusal(file("n.csv", "time,ax,ay,az,gx,gy,gz\n0,1,2,x,4,5,6"))).toMatch(/no number in line 2/);
  expect(await refusal(file("b.csv", "1,1,2,3,4,5,6\n0.5,1,2,3,4,5,6"))).toMatch(/back in time in line 2/);
  expect(await refusal(file("e.csv", "time,ax,ay,az,gx,gy,gz\n"))).toMatch(/no samples/);
  expect(await refusal(file("s.npy", npy([50, 6])), { rate: 1, scale: [1, 2] })).toMatch(/2 factors for 6 channels/);
  expect(await refusal(join(folder, "none.csv"))).toMatch(/FILE_UNREADABLE.*does not exist/);
});
