import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageFile } from "../../../src/cli/package.js";
import { itemsOf } from "../../../src/cli/tensor-batch.js";
import { type Bundle, openBundle } from "../../../src/encoder/bundle.js";
import { importImageBind } from "../../../src/encoder/import/imagebind/import.js";
import { quantizeBundle } from "../../../src/encoder/import/quantize.js";
import type { Runtime } from "../../../src/encoder/runtime.js";
import { verifyBundle } from "../../../src/encoder/verify.js";
import { workerRuntime } from "../../../src/encoder/worker-runtime.js";
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
      const { cosine } = deviation(
        encoded.map(({ raw }) => raw),
        output,
      );
      expect(cosine).toBeGreaterThanOrEqual(least[precision]);
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
