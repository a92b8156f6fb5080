import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pickledDict, pickledTensor, TorchZipWriter } from "../../../models/build/torch-file.js";
import { isSenseError } from "../../../src/core/errors.js";
import { openCheckpoint } from "../../../src/encoder/import/open.js";
import { toHalf } from "../../../src/onnx/half.js";
import { saveLegacy } from "./other-formats.js";
import { tinyModels } from "./tiny-models.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sensebind-checkpoint-"));
});
afterAll(() => rm(folder, { recursive: true }));

const bytes = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const counting = Float32Array.from({ length: 24 }, (_, i) => i);

async function zipped(dict: Uint8Array, storages: Readonly<Record<string, Uint8Array>>, name: string): Promise<string> {
  const path = join(folder, name);
  await using zip = await TorchZipWriter.create(path);
  // The top folder has the file's name, not always `archive`.
  await zip.add("some_name/data.pkl", dict);
  for (const [key, data] of Object.entries(storages)) await zip.add(`some_name/data/${key}`, data);
  await zip.finish();
  return path;
}

describe("tensors of a torch file", () => {
  test("may share a storage, begin inside it, and be transposed", async () => {
    const dict = pickledDict([
      ["whole", pickledTensor("0", [4, 6], 24)],
      ["transposed", pickledTensor("0", [6, 4], 24, { strides: [1, 6] })],
      ["column", pickledTensor("0", [4], 24, { offset: 2, strides: [6] })],
      ["part", pickledTensor("0", [2, 3], 24, { offset: 7, strides: [6, 1] })],
      ["number", pickledTensor("0", [], 24, { offset: 5 })],
    ]);
    await using checkpoint = await openCheckpoint(await zipped(dict, { 0: bytes(counting) }, "views.pth"));
    const read = async (name: string) => [...(await checkpoint.floats(name)).data];
    expect(await read("whole")).toEqual([...counting]);
    expect(await read("transposed")).toEqual(Array.from(counting, (_, i) => (i % 4) * 6 + Math.floor(i / 4)));
    expect(await read("column")).toEqual([2, 8, 14, 20]);
    expect(await read("part")).toEqual([7, 8, 9, 13, 14, 15]);
    expect(await read("number")).toEqual([5]);
  });

  test("of any shape, strides and offset that fit are what numpy's rule says", async () => {
    const cases = fc.record({
      dims: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
      strides: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 }),
      offset: fc.integer({ min: 0, max: 4 }),
    });
    let n = 0;
    const property = fc.asyncProperty(cases, async ({ dims, strides, offset }) => {
      const steps = strides.slice(0, dims.length);
      const dict = pickledDict([["w", pickledTensor("0", dims, 24, { strides: steps, offset })]]);
      const count = dims.reduce((a, b) => a * b, 1);
      const wanted = Array.from({ length: count }, (_, flat) => {
        let [rest, at] = [flat, offset];
        for (let axis = dims.length - 1; axis >= 0; axis--) {
          at += (rest % dims[axis]!) * steps[axis]!;
          rest = Math.floor(rest / dims[axis]!);
        }
        return at;
      });
      const path = await zipped(dict, { 0: bytes(counting) }, `random-${n++}.pth`);
      if (Math.max(...wanted) >= 24 || count > 24) {
        await expect(openCheckpoint(path)).rejects.toSatisfy((error) => isSenseError(error, "BAD_CHECKPOINT"));
        return;
      }
      await using checkpoint = await openCheckpoint(path);
      expect([...(await checkpoint.floats("w")).data]).toEqual(wanted);
    });
    await fc.assert(property, { numRuns: 60 });
  });

  test("of half, double, bfloat16 and integer storages keep their numbers", async () => {
    const dict = pickledDict([
      ["half", pickledTensor("0", [2], 2, { storage: "HalfStorage" })],
      ["double", pickledTensor("1", [2], 2, { storage: "DoubleStorage" })],
      ["bfloat", pickledTensor("2", [2], 2, { storage: "BFloat16Storage" })],
      ["long", pickledTensor("3", [2], 2, { storage: "LongStorage" })],
      ["byte", pickledTensor("4", [2], 2, { storage: "ByteStorage" })],
    ]);
    const storages = {
      0: bytes(toHalf(Float32Array.of(0.5, -3))),
      1: bytes(Float64Array.of(Math.PI, -1)),
      2: bytes(Uint16Array.of(0x3f80, 0xc040)),
      3: bytes(BigInt64Array.of(-5n, 2n ** 40n)),
      4: Uint8Array.of(7, 255),
    };
    await using checkpoint = await openCheckpoint(await zipped(dict, storages, "types.pth"));
    expect([...(await checkpoint.floats("half")).data]).toEqual([0.5, -3]);
    expect([...(await checkpoint.floats("double")).data]).toEqual([Math.fround(Math.PI), -1]);
    expect([...(await checkpoint.floats("bfloat")).data]).toEqual([1, -3]);
    expect([...(await checkpoint.read("long")).data]).toEqual([-5n, 2n ** 40n]);
    expect([...(await checkpoint.read("byte")).data]).toEqual([7, 255]);
    await expect(checkpoint.floats("long")).rejects.toThrow(/long holds numbers of type int64/);
  });

  test("of the older one-file format are read", async () => {
    const dict = pickledDict([
      ["a", pickledTensor("111", [2, 2], 4, { legacy: true })],
      ["b", pickledTensor("222", [2, 6], 24, { legacy: true, offset: 12, strides: [6, 1] })],
    ]);
    const path = await saveLegacy(join(folder, "old.pth"), dict, { 111: Float32Array.of(1, 2, 3, 4), 222: counting });
    await using checkpoint = await openCheckpoint(path);
    expect(checkpoint.format).toBe("torch-legacy");
    expect([...(await checkpoint.floats("a")).data]).toEqual([1, 2, 3, 4]);
    expect([...(await checkpoint.floats("b")).data]).toEqual([...counting.subarray(12)]);
  });

  test("of the older format whose storage is cut off are refused by name", async () => {
    const dict = pickledDict([["layer.weight", pickledTensor("1", [8], 8, { legacy: true })]]);
    const path = await saveLegacy(join(folder, "old-short.pth"), dict, { 1: Float32Array.of(1, 2) });
    await expect(openCheckpoint(path)).rejects.toThrow(/layer\.weight/);
  });

  test("are found under the usual names of a training checkpoint", async () => {
    const weights = ["w", "v"].map((name) => [name, pickledTensor("0", [2], 2)] as const);
    const inner = pickledDict(weights).subarray(2, -1);
    const dict = pickledDict([
      ["epoch", [0x4b, 7]],
      ["loss", pickledTensor("0", [], 2)],
      ["state_dict", [...inner]],
    ]);
    await using checkpoint = await openCheckpoint(
      await zipped(dict, { 0: bytes(Float32Array.of(8, 9)) }, "nested.pth"),
    );
    expect([...checkpoint.tensors.keys()]).toEqual(["w", "v"]);
  });
});

test.each(tinyModels())(
  "$name, saved by PyTorch itself, has the tensors that its config lists",
  async ({ checkpoint: path }) => {
    await using checkpoint = await openCheckpoint(path);
    expect(checkpoint.format).toBe("torch");
    const mask = await checkpoint.floats("modality_preprocessors.text.mask");
    expect(mask.dims).toEqual([77, 77]);
    expect(mask.data[1]).toBe(Number.NEGATIVE_INFINITY);
  },
);

test("a file of another kind is refused with what is wanted", async () => {
  const path = join(folder, "text.txt");
  await writeFile(path, "hello world, this is no checkpoint");
  await expect(openCheckpoint(path)).rejects.toMatchObject({ code: "BAD_CHECKPOINT", hint: /safetensors/ });
  await expect(openCheckpoint(join(folder, "absent"))).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
});
