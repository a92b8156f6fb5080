import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { tensor } from "../../src/core/tensor.js";
import { nativeRuntime } from "../../src/encoder/native-runtime.js";
import { runtimeContract } from "../../src/testing/runtime-contract.js";
import { contractGraphs } from "./graphs.js";

const graphs = await contractGraphs();
const folder = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
const library = join(folder, "bin", "napi-v6", process.platform, process.arch, "libonnxruntime.so.1");

describe.runIf(process.platform === "linux")("a libonnxruntime.so keeps the contract of a runtime", () => {
  for (const { promise, check } of runtimeContract(() => nativeRuntime(library), graphs)) test(promise, check);

  test("it says which version it is and which providers are really there", async () => {
    await using runtime = await nativeRuntime(library);
    expect(runtime.name).toMatch(/^libonnxruntime 1\.\d+\.\d+$/);
    expect(runtime.providers).toContain("cpu");
    expect(runtime.providers).not.toContain("cuda");
  });

  test("thousands of runs leave no memory behind", async () => {
    await using runtime = await nativeRuntime(library);
    await using session = await runtime.load(graphs.affine, { copies: 2 });
    const run = () => session.run({ x: tensor([1000, 3], new Float32Array(3000)) });
    for (let i = 0; i < 500; i++) await run();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 4000; i++) await run();
    // 4,000 runs move 48 MB in and 48 MB out.
    expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(40);
  });
});

test("a file that is no library, or none at all, is RUNTIME_FAILED", async () => {
  for (const path of [graphs.broken, `${graphs.broken}.so`]) {
    await expect(nativeRuntime(path)).rejects.toMatchObject({ code: "RUNTIME_FAILED", hint: expect.any(String) });
  }
});
