import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pickledDict, pickledTensor, type SavedTensor } from "../../../models/build/torch-file.js";
import { packageFile } from "../../../src/cli/package.js";
import { importImageBind } from "../../../src/encoder/import/imagebind/import.js";
import { openCheckpoint } from "../../../src/encoder/import/open.js";
import { workerRuntime } from "../../../src/encoder/worker-runtime.js";
import { saveLegacy, saveSafetensors } from "./other-formats.js";
import { tinyModels } from "./tiny-models.js";

const [tiny] = tinyModels();

test("one checkpoint in torch's two formats and as safetensors gives the same graphs", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sensebind-formats-"));
  const tensors: SavedTensor[] = [];
  {
    await using checkpoint = await openCheckpoint(tiny!.checkpoint);
    for (const name of checkpoint.tensors.keys()) {
      const { dims, data } = await checkpoint.floats(name);
      tensors.push({ name, dims, data: () => data });
    }
  }
  const entries = tensors.map(
    ({ name, dims, data }, i) => [name, pickledTensor(String(i), dims, data().length, { legacy: true })] as const,
  );
  const storages = Object.fromEntries(tensors.map(({ data }, i) => [i, data()]));
  await saveLegacy(join(folder, "old.pth"), pickledDict(entries), storages);
  await saveSafetensors(join(folder, "new.safetensors"), tensors);

  await using runtime = await workerRuntime();
  const vocabulary = packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz");
  const hashes = [];
  for (const [i, path] of [tiny!.checkpoint, join(folder, "old.pth"), join(folder, "new.safetensors")].entries()) {
    const out = join(folder, `bundle-${i}`);
    const { files } = await importImageBind(path, { out, config: tiny!.config, vocabulary, runtime });
    hashes.push(Object.fromEntries(Object.entries(files).filter(([file]) => file.includes(".onnx"))));
  }
  expect(hashes[1]).toEqual(hashes[0]);
  expect(hashes[2]).toEqual(hashes[0]);
  await rm(folder, { recursive: true });
});
