import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { gaussian, seeded } from "../../src/core/random.js";
import { type Tensor, tensor } from "../../src/core/tensor.js";
import type { Manifest } from "../../src/encoder/manifest.js";
import { saveModel } from "../../src/onnx/file.js";
import { type Graph, graph } from "../../src/onnx/graph.js";

/** Dimension of the fixture's space. */
export const dim = 8;

/** A matrix of normal numbers of a seed. */
export function noise(seed: number, dims: readonly number[]): Tensor<Float32Array> {
  const random = seeded(seed);
  return tensor(
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => gaussian(random)),
  );
}

/** Mean colour of each quarter of a 16 x 16 picture, after mean and std: `[n, 12]`. */
function trunk(): Graph {
  const g = graph();
  const x = g.input("pixels", "float32", ["n", 3, 16, 16]);
  g.output("features", g.op("Flatten", [g.op("AveragePool", [x], { kernel_shape: [8, 8], strides: [8, 8] })]));
  return g;
}

/** A linear head whose input is not named as the trunk's output is. */
function head(): Graph {
  const g = graph();
  const x = g.input("h", "float32", ["n", 12]);
  g.output("embedding", g.op("MatMul", [x, g.weight("w", noise(1, [12, dim]))]));
  return g;
}

/** A linear tower of one graph; `rows` is 1 for a model that was exported for one clip. */
function linear(
  input: string,
  shape: readonly number[],
  { seed, rows = "n" }: { seed: number; rows?: "n" | 1 },
): Graph {
  const g = graph();
  const x = g.input(input, "float32", [rows, ...shape]);
  const width = shape.reduce((a, b) => a * b);
  g.output("embedding", g.op("MatMul", [g.op("Flatten", [x]), g.weight("w", noise(seed, [width, dim]))]));
  return g;
}

/** The words of the fixture; a colour is where the vision tower puts a picture of that colour, others are near nothing. */
const words = ["[PAD]", "[UNK]", "a", "photo", "of", "red", "green", "blue", "."];

function wordVectors(): Tensor<Float32Array> {
  const table = noise(5, [words.length, dim]);
  table.data.forEach((value, i) => {
    table.data[i] = value / 100;
  });
  const w = noise(1, [12, dim]).data;
  for (const [c, colour] of ["red", "green", "blue"].entries()) {
    for (let j = 0; j < dim; j++) {
      let sum = 0;
      for (let f = 0; f < 12; f++) sum += (Math.floor(f / 4) === c ? 2 : -2) * w[f * dim + j]!;
      table.data[words.indexOf(colour) * dim + j] = sum;
    }
  }
  return table;
}

/** The sum of the words' vectors. */
function text(): Graph {
  const g = graph();
  const ids = g.input("ids", "int64", ["n", "length"]);
  const mask = g.input("mask", "int64", ["n", "length"]);
  const vectors = g.op("Gather", [g.weight("words", wordVectors()), ids]);
  const real = g.op("Unsqueeze", [g.op("Cast", [mask], { to: 1 }), g.ints([2])]);
  g.output("embedding", g.op("ReduceSum", [g.op("Mul", [vectors, real]), g.ints([1])], { keepdims: 0 }));
  return g;
}

const tokenizer = {
  version: "1.0",
  added_tokens: [],
  normalizer: { type: "Lowercase" },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: null,
  decoder: null,
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(words.map((word, id) => [word, id])),
  },
};

const graphs: Readonly<Record<string, () => Graph>> = {
  "text.onnx": text,
  "vision.trunk.onnx": trunk,
  "vision.head.onnx": head,
  "thermal.onnx": () => linear("heat", [1, 16, 16], { seed: 2 }),
  "imu.onnx": () => linear("motion", [6, 20], { seed: 3, rows: 1 }),
  "audio.onnx": () => linear("wave", [1600], { seed: 4 }),
};

const comparison = { logitScale: 10, background: { mean: 0, deviation: 0.1 } };

const towers: z.input<typeof Manifest>["towers"] = {
  text: {
    graphs: ["text.onnx"],
    preprocess: {
      kind: "text",
      tokenizer: "tokenizer.json",
      file: "tokenizer.json",
      length: 8,
      ids: "ids",
      mask: "mask",
    },
    ...comparison,
  },
  vision: {
    graphs: ["vision.trunk.onnx", "vision.head.onnx"],
    preprocess: { kind: "vision", input: "pixels", size: 16, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    prompts: ["{}", "a photo of {}."],
    rawScale: 3,
    ...comparison,
  },
  thermal: { graphs: ["thermal.onnx"], preprocess: { kind: "thermal", input: "heat", size: 16 }, ...comparison },
  imu: {
    graphs: ["imu.onnx"],
    preprocess: {
      kind: "series",
      input: "motion",
      rate: 20,
      steps: 20,
      channels: ["ax", "ay", "az", "gx", "gy", "gz"],
    },
    window: { length: "1s", hop: "1s" },
    ...comparison,
  },
  audio: {
    graphs: ["audio.onnx"],
    preprocess: { kind: "waveform", input: "wave", rate: 16_000, samples: 1600 },
    ...comparison,
  },
};

/** Writes the manifest of what is in the folder, the hashes being those of the files. */
export async function writeManifest(dir: string, changes: object = {}): Promise<void> {
  const names = (await readdir(dir)).filter((name) => name !== "manifest.json").sort();
  const files = await Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(dir, name));
      return [name, { sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length }] as const;
    }),
  );
  const manifest = {
    format: "sensebind.bundle/1",
    id: "fixture",
    version: "1",
    title: "A bundle of random linear towers",
    licence: { spdx: "Apache-2.0", nonCommercial: false },
    dim,
    towers,
    files: Object.fromEntries(files),
    ...changes,
  };
  await writeFile(join(dir, "manifest.json"), JSON.stringify(manifest));
}

/** A small bundle of random linear towers in a folder of its own. */
export async function bundleFixture(changes: object = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sensebind-bundle-"));
  await writeFile(join(dir, "tokenizer.json"), JSON.stringify(tokenizer));
  for (const [name, make] of Object.entries(graphs)) await saveModel(make(), join(dir, name));
  await writeManifest(dir, changes);
  return dir;
}
