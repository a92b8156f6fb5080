import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^sensebind\/(device|align|client|testing)$/, replacement: source("$1/index.ts") },
      { find: /^sensebind$/, replacement: source("index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    // Real brokers, pipelines and terminals on a busy machine: a promise that was missed by a hair is tried again.
    retry: process.env.CI ? 2 : 0,
    // onnxruntime-node writes a database for upload otherwise, and crashes on a long command line.
    env: { ORT_DISABLE_TELEMETRY: "1" },
  },
});
