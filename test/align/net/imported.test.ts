import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { designed } from "../../../src/align/net/architecture-of.js";
import { dimsOf } from "../../../src/align/net/plan.js";
import { packageFile } from "../../../src/cli/package.js";
import { importImageBind } from "../../../src/encoder/import/imagebind/import.js";
import type { Manifest } from "../../../src/encoder/manifest.js";
import { workerRuntime } from "../../../src/encoder/worker-runtime.js";
import { loadModel } from "../../../src/onnx/file.js";
import type { Model } from "../../../src/onnx/value.js";
import { tinyModels } from "../../encoder/import/tiny-models.js";
import { noise, probe, slopeError, weightsOf } from "./probe.js";

const vocabulary = packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz");

describe.each(tinyModels().slice(0, 1))("$name, imported", ({ checkpoint, config }) => {
  let folder: string;
  let manifest: Manifest;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sensebind-updates-"));
    await using runtime = await workerRuntime({ workers: 1, threads: 1 });
    manifest = await importImageBind(checkpoint, { out: join(folder, "tiny"), config, vocabulary, runtime });
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true }));

  test.each(["imu", "thermal", "depth", "audio", "vision"] as const)(
    "the %s transformer's attention and MLP matrices can be updated, and nothing else changes",
    async (modality) => {
      const tower = manifest.towers[modality];
      if (tower === undefined) return;
      const dims = dimsOf(tower.preprocess)!;
      const graphs: Model[] = [];
      for (const graph of tower.graphs) graphs.push(await loadModel(join(folder, "tiny", graph)));
      const { dim } = manifest;
      const { architecture, training } = designed({ lora: { rank: 2 } }, { dims, dim, graphs });
      expect(training.lora).toEqual({ rank: 2, alpha: 4, matrices: ["attention", "mlp"] });
      const weights = weightsOf(architecture, [2, ...dims]).map((p, i) => {
        const more = noise(p.dims, 50 + i).data;
        return { ...p, data: p.data.map((value, j) => value + 0.05 * more[j]!) };
      });
      const x = noise([2, ...dims], 4);
      const { gradients } = await probe(architecture, x, weights, { folder });
      for (const { name } of weights) {
        expect(name).toMatch(/^lora\./);
        expect(
          gradients.get(name)!.some((d) => Math.abs(d) > 1e-9),
          name,
        ).toBe(true);
      }
      expect(await slopeError(architecture, x, weights, folder)).toBeLessThan(0.02);
    },
    60_000,
  );
});
