import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageFile } from "../../../src/cli/package.js";
import { cosine, normalize } from "../../../src/core/embedding.js";
import { WaveformRecipe } from "../../../src/core/recipe.js";
import { tensor } from "../../../src/core/tensor.js";
import { openBundle } from "../../../src/encoder/bundle.js";
import { importClassifier } from "../../../src/encoder/import/classifier.js";
import { extendBundle } from "../../../src/encoder/import/extend.js";
import { hashFile } from "../../../src/encoder/import/hash-file.js";
import { importImageBind } from "../../../src/encoder/import/imagebind/import.js";
import type { Runtime } from "../../../src/encoder/runtime.js";
import { verifyBundle } from "../../../src/encoder/verify.js";
import { workerRuntime } from "../../../src/encoder/worker-runtime.js";
import { saveModel } from "../../../src/onnx/file.js";
import { graph } from "../../../src/onnx/graph.js";
import { tinyModels } from "./tiny-models.js";

const [tiny] = tinyModels();
const labels = ["a dog", "a cat", "a car", "rain"];
const recipe = WaveformRecipe.parse({ kind: "waveform", input: "wave", rate: 4, samples: 4 });

let folder: string;
let base: string;
let runtime: Runtime;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sensebind-classifier-"));
  runtime = await workerRuntime();
  base = join(folder, "base");
  const vocabulary = packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz");
  await importImageBind(tiny!.checkpoint, {
    out: base,
    config: tiny!.config,
    vocabulary,
    runtime,
    modalities: ["text", "imu"],
  });
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A classifier whose scores are its input, as logits or behind `end`; another output is of no use. */
async function classifier(
  name: string,
  { end, opset }: { readonly end?: string; readonly opset: number },
): Promise<string> {
  const g = graph({ opset });
  const x = g.input("wave", "float32", ["n", 4]);
  g.output("features", g.op("Relu", [x]));
  const logits = g.op("Mul", [x, g.floats(1)]);
  g.output("scores", end === undefined ? logits : g.op(end, [logits]));
  g.output("loudness", g.op("Slice", [x, g.ints([0]), g.ints([1]), g.ints([1])]));
  g.removeOutputs(["features"]);
  const path = join(folder, name);
  await saveModel(g, path);
  return path;
}

const encode = async (dir: string, ...scores: number[]) => {
  await using bundle = await openBundle(dir, runtime);
  const { vector } = await bundle.encode("audio", { wave: tensor([1, 4], Float32Array.from(scores)) });
  const words = (await bundle.encodeText(labels)).map((word) => word.vector);
  return { vector, words, manifest: bundle.manifest, space: bundle.space, verified: await verifyBundle(bundle) };
};

describe.each([13, 17, 21])("a classifier of operator set %i, bound to words by its labels", (opset) => {
  let out: string;
  beforeAll(async () => {
    out = join(folder, `bound-${opset}`);
    const path = await classifier(`c${opset}.onnx`, { opset });
    await importClassifier(path, { base, modality: "audio", recipe, labels, out, runtime, top: 2 });
  });

  test("gives the vector of the word that it is sure of", async () => {
    const { vector, words, verified } = await encode(out, 0, 0, 40, 0);
    expect(cosine(vector, words[2]!)).toBeCloseTo(1, 5);
    expect(verified).toMatchObject({ ok: true });
  });

  test("gives the mean of its best words, and nothing of the others", async () => {
    const { vector, words } = await encode(out, 5, 5, 0, 0);
    const mean = normalize(Float32Array.from(words[0]!, (value, i) => value + words[1]![i]!));
    expect(cosine(vector, mean)).toBeCloseTo(1, 5);
  });

  test("gives each row of a batch its own words", async () => {
    await using bundle = await openBundle(out, runtime);
    const rows = [Float32Array.of(40, 0, 0, 0), Float32Array.of(0, 0, 0, 3)];
    const encoded = await bundle.encodeAll(
      "audio",
      rows.map((row) => ({ wave: tensor([1, 4], row) })),
    );
    const alone = await encode(out, 0, 0, 0, 3);
    expect(cosine(encoded[1]!.vector, alone.vector)).toBeCloseTo(1, 6);
    expect(cosine(encoded[0]!.vector, alone.words[0]!)).toBeCloseTo(1, 5);
  });

  test("lives in the space of its base, whose own towers it has", async () => {
    const { manifest, space } = await encode(out, 1, 0, 0, 0);
    await using whole = await openBundle(base, runtime);
    expect(space).toBe(whole.space);
    expect(Object.keys(manifest.towers)).toEqual(["text", "imu", "audio"]);
    expect(manifest.licence).toEqual(whole.manifest.licence);
  });
});

test("scores that are probabilities already are not made so again", async () => {
  const path = await classifier("sigmoid.onnx", { end: "Sigmoid", opset: 17 });
  const out = join(folder, "sigmoid");
  await importClassifier(path, { base, modality: "audio", recipe, labels, out, runtime, top: 2 });
  const { vector, words } = await encode(out, 9, -2, -9, -9);
  const [first, second] = [1 / (1 + Math.exp(-9)), 1 / (1 + Math.exp(2))];
  const mixed = normalize(Float32Array.from(words[0]!, (value, i) => first * value + second * words[1]![i]!));
  expect(cosine(vector, mixed)).toBeCloseTo(1, 5);
});

test("labels that are too few for the outputs are refused, and nothing is left behind", async () => {
  const path = await classifier("four.onnx", { opset: 17 });
  const out = join(folder, "few");
  const failed = importClassifier(path, { base, modality: "audio", recipe, labels: labels.slice(1), out, runtime });
  await expect(failed).rejects.toMatchObject({ code: "BAD_MODEL", message: /there are 3 labels/ });
  expect(existsSync(out) || existsSync(`${out}.part`)).toBe(false);
});

test("an overlay that would write over a file of its base is refused, and the base is as it was", async () => {
  const before = await hashFile(join(base, "imu.onnx"));
  await using whole = await openBundle(base, runtime);
  const tower = whole.manifest.towers.imu!;
  const addition = {
    modality: "audio" as const,
    tower,
    source: "x",
    title: "x",
    card: "",
    files: ["imu.onnx"],
    write: async () => {},
  };
  const failed = extendBundle(base, addition, { out: join(folder, "clash"), runtime });
  await expect(failed).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
  expect(await hashFile(join(base, "imu.onnx"))).toEqual(before);
  expect(await readdir(folder)).not.toContain("clash");
});

test("an overlay that replaces a tower drops the files that only the old one used", async () => {
  const path = await classifier("swap.onnx", { opset: 17 });
  const out = join(folder, "swap");
  const imu = { ...recipe, input: "wave" };
  await importClassifier(path, { base, modality: "imu", recipe: imu, labels, out, runtime });
  const files = await readdir(out);
  expect(files).toContain("imu-classifier.onnx");
  expect(files).not.toContain("imu.onnx.data");
  expect(files).toContain("text.onnx.data");
});
