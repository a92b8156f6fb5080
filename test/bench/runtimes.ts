// What a run costs beside the arithmetic, in either runtime: `npx tsx test/bench/runtimes.ts` after `npm run build`.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { tensor } from "../../src/core/tensor.js";
import { openRuntime } from "../../src/encoder/open-runtime.js";
import { contractGraphs } from "../encoder/graphs.js";

const folder = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
const library = join(folder, "bin", "napi-v6", process.platform, process.arch, "libonnxruntime.so.1");
const graphs = await contractGraphs();
const runs = 2000;

for (const [title, choice] of [
  ["onnxruntime-node in a worker", {}],
  ["libonnxruntime.so by koffi", { library }],
] as const) {
  await using runtime = await openRuntime(choice);
  await using session = await runtime.load(graphs.affine);
  for (const rows of [1, 50_000]) {
    const feeds = () => ({ x: tensor([rows, 3], new Float32Array(rows * 3)) });
    for (let i = 0; i < 200; i++) await session.run(feeds());
    const times: number[] = [];
    for (let i = 0; i < runs; i++) {
      const began = performance.now();
      await session.run(feeds());
      times.push((performance.now() - began) * 1e3);
    }
    times.sort((a, b) => a - b);
    const [p50, p99] = [times[runs >> 1]!, times[Math.floor(runs * 0.99)]!];
    console.log(`${title}, ${rows * 12} bytes: p50 ${p50.toFixed(0)} µs, p99 ${p99.toFixed(0)} µs a run`);
  }
}
