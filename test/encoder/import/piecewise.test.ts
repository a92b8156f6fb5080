import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageFile } from "../../../src/cli/package.js";
import { cosine, normalize } from "../../../src/core/embedding.js";
import { openBundle } from "../../../src/encoder/bundle.js";
import { recordGolden } from "../../../src/encoder/golden.js";
import { importImageBind } from "../../../src/encoder/import/imagebind/import.js";
import { towers } from "../../../src/encoder/import/imagebind/layout.js";
import { piecewise } from "../../../src/encoder/import/piecewise.js";
import { workerRuntime } from "../../../src/encoder/worker-runtime.js";
import { loadModel } from "../../../src/onnx/file.js";
import { split } from "../../../src/onnx/split.js";
import { tinyModels } from "./tiny-models.js";

const [tiny] = tinyModels();

test("a bundle run in pieces gives the vectors of the whole, and the pieces are gone when it is closed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sensebind-piecewise-"));
  await using runtime = await workerRuntime();
  const out = join(folder, "tiny");
  const vocabulary = packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz");
  await importImageBind(tiny!.checkpoint, { out, config: tiny!.config, vocabulary, runtime });
  await using whole = await openBundle(out, runtime);
  const wanted = await recordGolden(whole);
  // A tower that cannot be cut would need all of its memory again.
  for (const tower of towers)
    expect(split(await loadModel(join(out, `${tower}.onnx`)), 4_000).length, tower).toBeGreaterThan(2);
  {
    await using pieces = await openBundle(out, piecewise(runtime, 20_000));
    const found = await recordGolden(pieces);
    expect((await readdir(out)).filter((file) => file.includes(".piece")).length).toBeGreaterThan(5);
    for (const [i, { vector }] of found.cases.entries()) {
      expect(cosine(normalize(vector), normalize(wanted.cases[i]!.vector))).toBeGreaterThan(0.999999);
    }
  }
  expect((await readdir(out)).filter((file) => file.includes(".piece"))).toEqual([]);
  await rm(folder, { recursive: true });
});
