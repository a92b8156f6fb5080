import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** Folders whose tests leave nothing behind in their process: they share one, which saves 0.4 s of CPU a file. */
const pure = [
  ...["align", "core", "device/decode", "device/firmware", "encoder/import", "encoder/tokenizer"],
  ...["onnx", "rules", "space", "window"],
].map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  resolve: {
    alias: [
      { find: /^sensebind\/(device|align|client|testing)$/, replacement: source("$1/index.ts") },
      { find: /^sensebind$/, replacement: source("index.ts") },
    ],
  },
  test: {
    projects: [
      { extends: true, test: { name: "pure", include: pure, isolate: false } },
      { extends: true, test: { name: "whole", include: ["test/**/*.test.ts"], exclude: pure } },
    ],
    // vitest keeps a core to itself, which is half of a small machine.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    // Real brokers, pipelines and terminals on a busy machine: a promise that was missed by a hair is tried again.
    retry: process.env.CI ? 2 : 0,
    // onnxruntime-node writes a database for upload otherwise, and crashes on a long command line.
    env: { ORT_DISABLE_TELEMETRY: "1" },
  },
});
