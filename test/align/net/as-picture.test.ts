import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { asPicture } from "../../../src/align/net/as-picture.js";
import type { Tensor } from "../../../src/core/tensor.js";
import { loadGraph } from "../../../src/encoder/onnxruntime.js";
import { saveModel } from "../../../src/onnx/file.js";

const form = { input: "pixels", size: 2, mean: [0.5, 0.25, 0], std: [0.5, 0.25, 2] };

async function picture(maps: readonly (readonly number[])[], of = form): Promise<number[]> {
  const path = join(await mkdtemp(join(tmpdir(), "sensebind-picture-")), "picture.onnx");
  await saveModel(asPicture(of), path);
  const map: Tensor = { dims: [maps.length, 1, 2, 2], data: Float32Array.from(maps.flat()) };
  const { pixels } = await (await loadGraph(path, {})).run({ map });
  expect(pixels!.dims).toEqual([maps.length, 3, 2, 2]);
  return [...(pixels!.data as Float32Array)];
}

test("a map becomes three normalised colours between its own least and greatest number", async () => {
  const grey = [0, 1 / 3, 2 / 3, 1];
  const colours = form.mean.flatMap((mean, c) => grey.map((value) => (value - mean) / form.std[c]!));
  const pixels = await picture([
    [20, 22, 24, 26],
    [-3, 0, 3, 6],
  ]);
  for (const [i, value] of [...colours, ...colours].entries()) expect(pixels[i]).toBeCloseTo(value, 6);
});

test("a map that is the same everywhere is black, and one mean stands for all colours", async () => {
  expect(await picture([[7, 7, 7, 7]], { ...form, mean: [0.5], std: [0.5] })).toEqual(new Array(12).fill(-1));
});
