import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageFile } from "../../../src/cli/package.js";
import { itemsOf } from "../../../src/cli/tensor-batch.js";
import { cosine } from "../../../src/core/embedding.js";
import { tensor } from "../../../src/core/tensor.js";
import { type Bundle, openBundle } from "../../../src/encoder/bundle.js";
import { importImageBind } from "../../../src/encoder/import/imagebind/import.js";
import { quantizeBundle } from "../../../src/encoder/import/quantize.js";
import type { Runtime } from "../../../src/encoder/runtime.js";
import { verifyBundle } from "../../../src/encoder/verify.js";
import { workerRuntime } from "../../../src/encoder/worker-runtime.js";
import { saveModel } from "../../../src/onnx/file.js";
import { graph } from "../../../src/onnx/graph.js";
import { bundleFixture, dim, noise, writeManifest } from "../bundle-fixture.js";
import { deviation, tinyModels } from "./tiny-models.js";

const vocabulary = packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz");
const least = { fp16: 0.9999, int8: 0.99 } as const;

describe.each(tinyModels())("$name with smaller weights", ({ checkpoint, config, cases }) => {
  let folder: string;
  let runtime: Runtime;
  const bundles: Partial<Record<"fp16" | "int8", Bundle>> = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sensebind-quantize-"));
    runtime = await workerRuntime();
    await importImageBind(checkpoint, { out: join(folder, "tiny"), config, vocabulary, runtime });
    for (const precision of ["fp16", "int8"] as const) {
      await quantizeBundle(join(folder, "tiny"), { out: join(folder, precision), precision, runtime });
      bundles[precision] = await openBundle(join(folder, precision), runtime);
    }
  });
  afterAll(async () => {
    for (const bundle of Object.values(bundles)) await bundle[Symbol.asyncDispose]();
    await runtime[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  describe.each(["fp16", "int8"] as const)("%s", (precision) => {
    test.each(cases)("stays close to the original for $name", async ({ modality, input, output }) => {
      const bundle = bundles[precision]!;
      const encoded = await bundle.encodeAll(modality, itemsOf(input, bundle.tower(modality).preprocess));
      const { cosine: likeness } = deviation(
        encoded.map(({ raw }) => raw),
        output,
      );
      expect(likeness).toBeGreaterThanOrEqual(least[precision]);
    });

    test("is a whole bundle: verified, with its licence and what was done to it", async () => {
      const bundle = bundles[precision]!;
      expect(await verifyBundle(bundle)).toMatchObject({ ok: true });
      expect(bundle.manifest.licence.notice).toMatch(/no commercial use/);
      expect(await readFile(join(bundle.dir, "card.md"), "utf8")).toContain(`stored as ${precision}`);
    });
  });

  test("takes less room", async () => {
    const bytes = (files: Bundle["manifest"]["files"]) =>
      Object.entries(files).reduce((sum, [file, entry]) => (file.endsWith(".data") ? sum + entry.bytes : sum), 0);
    const whole = JSON.parse(await readFile(join(folder, "tiny", "manifest.json"), "utf8")) as Bundle["manifest"];
    expect(bytes(bundles.fp16!.manifest.files)).toBeLessThan(0.75 * bytes(whole.files));
    expect(bytes(bundles.int8!.manifest.files)).toBeLessThan(0.75 * bytes(whole.files));
  });
});

test("the encoder of one sensor is stored smaller with the others, and verifies", async () => {
  const folder = await bundleFixture();
  const g = graph();
  const x = g.input("heat", "float32", ["n", 1, 16, 16]);
  g.output("embedding", g.op("MatMul", [g.op("Flatten", [x]), g.weight("w", noise(77, [256, dim]))]));
  await saveModel(g, join(folder, "barn.onnx"));
  const { towers } = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
  await writeManifest(folder, { sensors: { barn: { ...towers.thermal, modality: "thermal", graphs: ["barn.onnx"] } } });
  await using runtime = await workerRuntime();
  const out = join(folder, "small");
  await quantizeBundle(folder, { out, precision: "fp16", runtime });
  await using small = await openBundle(out, runtime);
  expect(await verifyBundle(small)).toMatchObject({ ok: true });
  const { files } = small.manifest;
  const bytes = Object.keys(files).reduce((sum, file) => (file.startsWith("barn") ? sum + files[file]!.bytes : sum), 0);
  expect(bytes).toBeLessThan(4 * 256 * dim);
  const heat = () => ({ heat: tensor([1, 1, 16, 16], noise(5, [1, 16, 16]).data.slice()) });
  await using whole = await openBundle(folder, runtime);
  const [a, b] = [
    await whole.forSensor("barn").encode("thermal", heat()),
    await small.forSensor("barn").encode("thermal", heat()),
  ];
  expect(cosine(a.vector, b.vector)).toBeGreaterThan(0.9999);
});
