import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageFile } from "../../../src/cli/package.js";
import { itemsOf } from "../../../src/cli/tensor-batch.js";
import { type Bundle, openBundle } from "../../../src/encoder/bundle.js";
import { importImageBind } from "../../../src/encoder/import/imagebind/import.js";
import type { Runtime } from "../../../src/encoder/runtime.js";
import { verifyBundle } from "../../../src/encoder/verify.js";
import { workerRuntime } from "../../../src/encoder/worker-runtime.js";
import { deviation, tinyModels } from "./tiny-models.js";

const vocabulary = packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz");

describe.each(tinyModels())("$name, imported", ({ checkpoint, config, cases }) => {
  let folder: string;
  let runtime: Runtime;
  let bundle: Bundle;
  const seen: number[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sensebind-import-"));
    runtime = await workerRuntime();
    const out = join(folder, "tiny");
    const onProgress = ({ done, total }: { done: number; total: number }) => void seen.push(done / total);
    await importImageBind(checkpoint, { out, config, vocabulary, runtime, onProgress });
    bundle = await openBundle(out, runtime);
  });
  afterAll(async () => {
    await bundle[Symbol.asyncDispose]();
    await runtime[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test.each(cases)("gives the original's output for $name", async ({ modality, input, output }) => {
    const encoded = await bundle.encodeAll(modality, itemsOf(input, bundle.tower(modality).preprocess));
    const { relative, cosine } = deviation(
      encoded.map(({ raw }) => raw),
      output,
    );
    expect(relative).toBeLessThanOrEqual(2e-5);
    expect(cosine).toBeGreaterThanOrEqual(0.999999);
  });

  test("can be verified, names its licence, and says where it came from", async () => {
    expect(await verifyBundle(bundle)).toMatchObject({ ok: true });
    expect(bundle.manifest.licence).toMatchObject({ spdx: "CC-BY-NC-SA-4.0", nonCommercial: true });
    const card = await readFile(join(bundle.dir, "card.md"), "utf8");
    expect(card).toMatch(/CC-BY-NC-SA-4\.0/);
    expect(card).toMatch(/SHA-256 `[0-9a-f]{64}`/);
  });

  test("holds what its manifest lists and nothing else", async () => {
    const files = (await readdir(bundle.dir)).filter((file) => file !== "manifest.json");
    expect(files.sort()).toEqual(Object.keys(bundle.manifest.files).sort());
    expect(existsSync(`${bundle.dir}.part`)).toBe(false);
  });

  test("tells its progress, which only grows and ends at all", () => {
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
  });
});
