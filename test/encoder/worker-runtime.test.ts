import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tensor } from "../../src/core/tensor.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { runtimeContract } from "../../src/testing/runtime-contract.js";
import { contractGraphs } from "./graphs.js";

const graphs = await contractGraphs();
const row = (value: number) => ({ x: tensor([1, 3], new Float32Array(3).fill(value)) });

/** The real worker, which is busy for a while with each run and then leaves a mark. */
function slowWorker(mark: string): URL {
  const code = `
    import { writeFileSync } from "node:fs";
    import { parentPort } from "node:worker_threads";
    import "${new URL("../../dist/src/encoder/worker.js", import.meta.url)}";
    parentPort.on("message", ({ kind }) => {
      if (kind !== "run") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      writeFileSync(${JSON.stringify(mark)}, "");
    });`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

/** The real worker, which ends its thread in the middle of a run of 666s, and when it loads while `grave` exists. */
function mortalWorker(grave: string): URL {
  const worker = new URL("../../dist/src/encoder/worker.js", import.meta.url);
  const code = `
    import { existsSync } from "node:fs";
    import { parentPort } from "node:worker_threads";
    import "${worker}";
    parentPort.on("message", ({ kind, feeds }) => {
      if (kind === "run" && feeds.x.data[0] === 666) process.exit(3);
      if (kind === "load" && existsSync(${JSON.stringify(grave)})) process.exit(4);
    });`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

describe("onnxruntime-node in worker threads keeps the contract of a runtime", () => {
  for (const { promise, check } of runtimeContract(() => workerRuntime({ workers: 2 }), graphs)) test(promise, check);
});

test("cpu is a provider of onnxruntime-node; cuda, whose library is not installed, is not", async () => {
  await using runtime = await workerRuntime();
  expect(runtime.providers).toContain("cpu");
  expect(runtime.providers).not.toContain("cuda");
});

test("a thread that dies fails the run it was given; a new one has the models again and does what waited", async () => {
  await using runtime = await workerRuntime({ entry: mortalWorker("none") });
  await using session = await runtime.load(graphs.affine);
  await using other = await runtime.load(graphs.affine);
  const fatal = session.run(row(666));
  await expect(fatal).rejects.toMatchObject({ code: "RUNTIME_FAILED" });
  const results = await Promise.all([session.run(row(1)), other.run(row(2)), session.run(row(3))]);
  expect(results.map(({ y }) => y!.data[0])).toEqual([3, 5, 7]);
});

test("a thread that dies while others live takes only its own runs with it", async () => {
  await using runtime = await workerRuntime({ workers: 2, entry: mortalWorker("none") });
  await using session = await runtime.load(graphs.affine, { copies: 2 });
  const results = await Promise.allSettled([666, 1, 2, 3, 4, 5, 6, 7].map((value) => session.run(row(value))));
  const lost = results.filter(({ status }) => status === "rejected");
  expect(lost.length).toBeGreaterThanOrEqual(1);
  expect(lost.length).toBeLessThanOrEqual(2);
});

test("a thread that cannot come back is given up: runs fail, nothing hangs", async () => {
  const grave = join(await mkdtemp(join(tmpdir(), "sensebind-")), "grave");
  await using runtime = await workerRuntime({ entry: mortalWorker(grave) });
  await using session = await runtime.load(graphs.affine);
  await writeFile(grave, "");
  const results = await Promise.allSettled([666, 1, 2, 3].map((value) => session.run(row(value))));
  for (const result of results) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "RUNTIME_FAILED" } });
  }
});

test("a worker that cannot start is an error, not a hang", async () => {
  const missing = new URL("./no-such-worker.js", import.meta.url);
  await expect(workerRuntime({ entry: missing })).rejects.toMatchObject({ code: "RUNTIME_FAILED" });
});

test("a tensor that was handed over before is BAD_TENSOR", async () => {
  await using runtime = await workerRuntime();
  await using session = await runtime.load(graphs.affine);
  const feeds = row(1);
  await session.run(feeds);
  await expect(session.run(feeds)).rejects.toMatchObject({ code: "BAD_TENSOR" });
});

test("a view into a large buffer costs what the view holds, not what the buffer does", async () => {
  await using runtime = await workerRuntime();
  await using session = await runtime.load(graphs.affine, { queue: 1000 });
  // 600 views into 60 MB: 36 GB if the buffer went along with each.
  const large = new Float32Array(15e6);
  const views = Array.from({ length: 600 }, (_, i) => ({ x: tensor([1, 3], large.subarray(i * 3, i * 3 + 3)) }));
  const results = await Promise.all(views.map((feeds) => session.run(feeds)));
  expect(results).toHaveLength(600);
});

test("a runtime that nobody closed does not keep a finished process alive", () => {
  const entry = JSON.stringify(new URL("../../dist/src/encoder/worker-runtime.js", import.meta.url));
  const script = `const { workerRuntime } = await import(${entry}); await workerRuntime({ workers: 2 });`;
  const { status, signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { timeout: 20_000 });
  expect([status, signal]).toEqual([0, null]);
});

test("closing waits for the run at hand: a thread is never stopped inside native code", async () => {
  const mark = join(await mkdtemp(join(tmpdir(), "sensebind-")), "mark");
  const runtime = await workerRuntime({ entry: slowWorker(mark) });
  const session = await runtime.load(graphs.affine);
  const run = session.run(row(1)).catch((error: unknown) => error);
  await runtime[Symbol.asyncDispose]();
  expect(await run).toMatchObject({ code: "RUNTIME_FAILED" });
  expect(existsSync(mark)).toBe(true);
});

test("a runtime closed in the middle of runs ends them, not the process", () => {
  const source = (path: string) => JSON.stringify(new URL(`../../dist/src/${path}`, import.meta.url));
  // In a process of its own: what this guards against is an abort of the process.
  const script = `
    import { workerRuntime } from ${source("encoder/worker-runtime.js")};
    for (let i = 0; i < 15; i++) {
      const runtime = await workerRuntime({ workers: 2 });
      const session = await runtime.load(${JSON.stringify(graphs.affine)}, { copies: 2 });
      const feeds = () => ({ x: { dims: [9000, 3], data: new Float32Array(27000) } });
      const runs = Array.from({ length: 8 }, () => session.run(feeds()).then(() => "done", (error) => error.code));
      await new Promise((resolve) => setTimeout(resolve, i / 5));
      await runtime[Symbol.asyncDispose]();
      for (const end of await Promise.all(runs)) if (end !== "done" && end !== "RUNTIME_FAILED") throw new Error(end);
    }`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
});
