// How late timers fire while a model runs: `npx tsx test/bench/event-loop.ts [seconds]` after `npm run build`.
import { tensor } from "../../src/core/tensor.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { contractGraphs } from "../encoder/graphs.js";

const seconds = Number(process.argv[2] ?? 5);
const period = 5;

/** Lateness in ms of a 5 ms timer, sorted, over some seconds. */
async function lateness(): Promise<number[]> {
  const late: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const due = performance.now() + period;
    await new Promise((resolve) => setTimeout(resolve, period));
    late.push(performance.now() - due);
  }
  return late.sort((a, b) => a - b);
}

const at = (sorted: number[], share: number): string => sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(2);
const report = (title: string, late: number[], runs: number): void =>
  console.log(`${title}: p50 ${at(late, 0.5)} ms, p99 ${at(late, 0.99)} ms, max ${at(late, 1)} ms, ${runs} runs`);

const graphs = await contractGraphs();
await using runtime = await workerRuntime();
await using session = await runtime.load(graphs.slow);

report("idle", await lateness(), 0);

const stop = new AbortController();
let runs = 0;
const busy = (async () => {
  while (!stop.signal.aborted) {
    await session.run({ x: tensor([1], Float32Array.of(1)) });
    runs++;
  }
})();
report("a model always running in a worker", await lateness(), runs);
stop.abort();
await busy;

const ort = await import("onnxruntime-node");
const blocking = await ort.InferenceSession.create(graphs.slow, { intraOpNumThreads: 1 });
let calls = 0;
let going = true;
const inline = (async () => {
  while (going) {
    await blocking.run({ x: new ort.Tensor("float32", Float32Array.of(1), [1]) });
    calls++;
  }
})();
report("the same model in the timers' own thread", await lateness(), calls);
going = false;
await inline;
