import { mkdtemp } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { head, transformer } from "../../src/align/net/architectures.js";
import type { Architecture } from "../../src/align/net/net.js";
import { adamW } from "../../src/align/train/adamw.js";
import { infoNce, logitScale } from "../../src/align/train/loss.js";
import { beginning, stepGraph } from "../../src/align/train/step-graph.js";
import { Trainer } from "../../src/align/train/trainer.js";
import { seeded } from "../../src/core/random.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { encodeModel } from "../../src/onnx/encode.js";
import { graph } from "../../src/onnx/graph.js";

/**
 * Time of one training step on one thread, of the graph alone and with what the Trainer adds: its copies and the worker's transfers.
 * Torch 1.13 on one thread took 3.8 ms for the first; 25 ms CPU is the aim of the second.
 */
const cases: readonly {
  name: string;
  dims: readonly number[];
  dim: number;
  architecture: Architecture;
  steps: number;
}[] = [
  {
    name: "transformer 48-wide, 2 blocks, 21 tokens, batch 16 (torch 3.8 ms)",
    dims: [16, 20, 12],
    dim: 32,
    architecture: transformer({ dim: 32, width: 48, depth: 2, heads: 4, biasKv: true }),
    steps: 50,
  },
  {
    name: "MLP head 1024-1024-1024, batch 256 (aim 25 ms CPU)",
    dims: [256, 1024],
    dim: 1024,
    architecture: head({ dim: 1024, hidden: 1024 }),
    steps: 4,
  },
];

const random = seeded(1);
const noise = (dims: readonly number[]): Tensor =>
  new Tensor(
    "float32",
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
    dims,
  );
/** What this machine takes for the largest part of the head's step now: the rest is to be judged beside it. */
async function bareProduct(): Promise<number> {
  const g = graph({ opset: 20 });
  const [a, b] = [g.input("a", "float32", [256, 1024]), g.input("b", "float32", [1024, 1024])];
  g.output("y", g.op("MatMul", [a, b]));
  const session = await InferenceSession.create(encodeModel(g), { intraOpNumThreads: 1 });
  const feeds = { a: noise([256, 1024]), b: noise([1024, 1024]) };
  const took: number[] = [];
  for (let i = 0; i < 30; i++) {
    const used = process.cpuUsage();
    await session.run(feeds);
    const { user, system } = process.cpuUsage(used);
    took.push((user + system) / 1e3);
  }
  await session.release();
  return median(took);
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

console.log(cpus()[0]?.model ?? "");
const product = await bareProduct();
console.log(
  `one product of [256, 1024] and [1024, 1024], bare: ${product.toFixed(2)} ms CPU; the head's step has 6.5 of them: two forward, four back, two of a quarter for the loss`,
);
await using runtime = await workerRuntime({ workers: 1, threads: 1 });
for (const { name, dims, dim, architecture, steps } of cases) {
  const options = {
    inputs: [
      { name: "x", dims },
      { name: "t", dims: [dims[0]!, dim] },
    ],
    loss: ((net, { x, t }) => infoNce(net.g, architecture(net, x!), t!, { scale: logitScale(net) })) as Parameters<
      typeof beginning
    >[0]["loss"],
    optimizer: adamW,
    steps,
  };
  const parameters = beginning(options, 1);
  const { graph: step, packing } = stepGraph(parameters, options);
  const session = await InferenceSession.create(encodeModel(step), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  let feeds: Record<string, Tensor> = { taken: new Tensor("float32", [0], []) };
  for (const [i, vector] of packing.pack(parameters).entries()) {
    const { name: key, size, dims: form } = packing.tensors[i]!;
    feeds[`w.${key}`] = new Tensor("float32", vector, form);
    for (const part of ["m", "v"]) feeds[`${part}.${key}`] = new Tensor("float32", new Float32Array(size), form);
  }
  const fixed = { x: noise([steps, 1, ...dims]), t: noise([steps, 1, dims[0]!, dim]) };
  const trainer = await Trainer.open(parameters, options, {
    engine: runtime,
    folder: await mkdtemp(join(tmpdir(), "bench-training-")),
  });
  const [wall, cpu, own]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; i < 14; i++) {
    const start = performance.now();
    let used = process.cpuUsage();
    const out = await session.run({ ...feeds, ...fixed });
    const took = performance.now() - start;
    feeds = Object.fromEntries(Object.keys(feeds).map((key) => [key, out[`next.${key}`] as Tensor]));
    const alone = process.cpuUsage(used);
    const batches = { x: (fixed.x.data as Float32Array).slice(), t: (fixed.t.data as Float32Array).slice() };
    used = process.cpuUsage();
    await trainer.run(batches);
    const whole = process.cpuUsage(used);
    if (i < 2) continue;
    wall.push(took / steps);
    cpu.push((alone.user + alone.system) / 1e3 / steps);
    own.push((whole.user + whole.system) / 1e3 / steps);
  }
  const [all, least] = [median(cpu), Math.min(...cpu)];
  console.log(
    `${name}: median ${median(wall).toFixed(2)} ms, CPU ${all.toFixed(2)} ms, least CPU ${least.toFixed(2)} ms a step, ` +
      `${(all / product).toFixed(2)} products; by the Trainer, ${steps} steps a run, CPU ${median(own).toFixed(2)} ms a step`,
  );
  await trainer[Symbol.asyncDispose]();
  await session.release();
}
