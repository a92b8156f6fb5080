import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cosine } from "../../../src/core/embedding.js";
import { isSenseError } from "../../../src/core/errors.js";
import { gaussian, seeded } from "../../../src/core/random.js";
import { tensor } from "../../../src/core/tensor.js";
import { openBundle } from "../../../src/encoder/bundle.js";
import { importTransformers } from "../../../src/encoder/import/transformers/import.js";
import { licenceOf } from "../../../src/encoder/import/transformers/licence.js";
import type { Runtime } from "../../../src/encoder/runtime.js";
import { verifyBundle } from "../../../src/encoder/verify.js";
import { workerRuntime } from "../../../src/encoder/worker-runtime.js";
import { saveModel } from "../../../src/onnx/file.js";
import { type Graph, graph } from "../../../src/onnx/graph.js";

const random = seeded(3);
const normal = (dims: readonly number[]) =>
  tensor(
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => gaussian(random)),
  );

/** Mean colour of a picture, projected to 8 numbers; also the hidden state that transformers.js exports have. */
function visionTower(output: string): Graph {
  const g = graph();
  const x = g.input("pixel_values", "float32", ["batch", 3, "h", "w"]);
  const mean = g.op("ReduceMean", [x], { axes: [2, 3], keepdims: 0 });
  g.output("last_hidden_state", g.op("Relu", [x]));
  g.output(output, g.op("MatMul", [mean, g.weight("projection", normal([3, 8]))]));
  return g;
}

/** Mean of the word vectors that the mask names. */
function textTower(output: string): Graph {
  const g = graph();
  const ids = g.input("input_ids", "int64", ["batch", "length"]);
  const mask = g.op("Cast", [g.input("attention_mask", "int64", ["batch", "length"])], { to: 1 });
  const words = g.op("Gather", [g.weight("words", normal([50, 8])), ids]);
  const sum = g.op("ReduceSum", [g.op("Mul", [words, g.op("Unsqueeze", [mask, g.ints([-1])])]), g.ints([1])], {
    keepdims: 0,
  });
  g.output(output, g.op("Div", [sum, g.op("ReduceSum", [mask, g.ints([1])], { keepdims: 1 })]));
  return g;
}

const tokenizer = {
  version: "1.0",
  added_tokens: [{ id: 1, content: "[PAD]", special: true }],
  normalizer: { type: "BertNormalizer", lowercase: true },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: null,
  decoder: null,
  model: {
    type: "WordPiece",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: { "[UNK]": 0, "[PAD]": 1, a: 2, dog: 3, cat: 4, photo: 5, of: 6 },
    unk_token: "[UNK]",
  },
};

interface FolderOptions {
  readonly config?: object;
  readonly preprocessor?: object;
  readonly readme?: string;
  readonly outputs?: readonly [string, string];
}

const clip = {
  size: { shortest_edge: 40 },
  crop_size: { height: 32, width: 32 },
  do_center_crop: true,
  resample: 3,
  image_mean: [0.48, 0.46, 0.41],
  image_std: [0.27, 0.26, 0.28],
};

let folder: string;
let runtime: Runtime;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sensebind-transformers-"));
  runtime = await workerRuntime();
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function makeFolder({
  config = { model_type: "clip" },
  preprocessor = clip,
  readme = "---\nlicense: mit\n---\n",
  outputs = ["image_embeds", "text_embeds"],
}: FolderOptions = {}): Promise<string> {
  const dir = join(folder, `model-${count++}`);
  await mkdir(join(dir, "onnx"), { recursive: true });
  await saveModel(visionTower(outputs[0]), join(dir, "onnx", "vision_model.onnx"));
  await saveModel(textTower(outputs[1]), join(dir, "onnx", "text_model.onnx"));
  const files = { "config.json": config, "preprocessor_config.json": preprocessor, "tokenizer.json": tokenizer };
  for (const [file, content] of Object.entries(files)) await writeFile(join(dir, file), JSON.stringify(content));
  await writeFile(join(dir, "tokenizer_config.json"), JSON.stringify({ model_max_length: 16, pad_token: "[PAD]" }));
  await writeFile(join(dir, "README.md"), readme);
  return dir;
}

describe("a folder in the layout of transformers.js", () => {
  test("becomes a bundle that encodes words and pictures and can be verified", async () => {
    const dir = await makeFolder();
    const out = join(folder, "clip");
    const manifest = await importTransformers(dir, { out, runtime });
    expect(manifest.towers.vision).toMatchObject({
      output: "image_embeds",
      preprocess: { kind: "vision", input: "pixel_values", size: 32, resizeTo: 40, filter: "bicubic", fit: "shortest" },
      logitScale: 100,
    });
    expect(manifest.towers.text?.preprocess).toMatchObject({
      length: 16,
      pad: 1,
      mask: "attention_mask",
      padTo: "longest",
    });
    await using bundle = await openBundle(out, runtime);
    const [dog, again, cat] = await bundle.encodeText(["a dog", "a dog", "a cat"]);
    expect(cosine(dog!.vector, again!.vector)).toBeCloseTo(1, 6);
    expect(cosine(dog!.vector, cat!.vector)).toBeLessThan(0.999);
    expect(await verifyBundle(bundle)).toMatchObject({ ok: true });
  });

  test("brings the scale and bias of a SigLIP, whose pictures are stretched", async () => {
    const preprocessor = {
      size: { height: 32, width: 32 },
      resample: 2,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
    };
    const config = { model_type: "siglip", logit_scale: 117.3, logit_bias: -12.9 };
    const dir = await makeFolder({ config, preprocessor, outputs: ["pooler_output", "pooler_output"] });
    const manifest = await importTransformers(dir, { out: join(folder, "siglip"), runtime });
    expect(manifest.towers.vision).toMatchObject({ output: "pooler_output", logitScale: 117.3, logitBias: -12.9 });
    expect(manifest.towers.vision?.preprocess).toMatchObject({ fit: "stretch", filter: "bilinear", size: 32 });
    expect(manifest.towers.text?.preprocess).toMatchObject({ padTo: "fixed" });
  });

  test("takes the scale from the weights of the whole model where there is one", async () => {
    const dir = await makeFolder();
    const whole = visionTower("image_embeds");
    whole.output(
      "scaled",
      whole.op("Mul", [whole.find("image_embeds"), whole.weight("logit_scale", tensor([], Float32Array.of(4.6052)))]),
    );
    await saveModel(whole, join(dir, "model.onnx"));
    const manifest = await importTransformers(dir, { out: join(folder, "scaled"), runtime });
    expect(manifest.towers.text?.logitScale).toBeCloseTo(100, 1);
  });

  test.each([
    ["a SigLIP without scale and bias", { config: { model_type: "siglip" } }, /scale and bias/],
    [
      "pictures that are not square",
      { preprocessor: { ...clip, do_center_crop: false, size: { height: 32, width: 48 } } },
      /48 x 32/,
    ],
    ["a filter that is not known", { preprocessor: { ...clip, resample: 1 } }, /resample 1/],
    ["towers without one vector a row", { outputs: ["patches", "tokens"] as const }, /none of which is one vector/],
  ])("with %s is refused and leaves nothing behind", async (_, options, message) => {
    const out = join(folder, `refused-${count}`);
    const failed = importTransformers(await makeFolder(options), { out, runtime });
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toSatisfy((error) => isSenseError(error, "BAD_MODEL"));
    await expect(readFile(join(out, "manifest.json"))).rejects.toThrow();
    await expect(readFile(join(`${out}.part`, "vision.onnx"))).rejects.toThrow();
  });
});

test.each([
  ["---\nlicense: mit\n---\n", "mit", false],
  ["---\nlicense: other\nlicense_name: apple-amlr\n---\n", "apple-amlr", true],
  ['---\nlicense: "cc-by-nc-4.0"\n---\n', "cc-by-nc-4.0", true],
  ["no front matter", "NOASSERTION", false],
])("the licence in %j is %s", (readme, spdx, nonCommercial) => {
  expect(licenceOf(readme)).toMatchObject({ spdx, nonCommercial });
});
