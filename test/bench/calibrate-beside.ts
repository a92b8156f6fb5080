import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindSensor } from "../../src/align/bind.js";
import { seriesTransformer } from "../../src/align/net/architectures.js";
import type { Pair } from "../../src/align/pairs/pair.js";
import { breathing } from "../../src/cli/calibrate/board.js";
import { systemClock } from "../../src/cli/edge.js";
import { loadConfig } from "../../src/cli/load-config.js";
import { normalize } from "../../src/core/embedding.js";
import { silent } from "../../src/core/log.js";
import { gaussian, seeded } from "../../src/core/random.js";
import { micros } from "../../src/core/time.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { run } from "../../src/pipeline/run.js";

/*
 * What learning beside the flow costs the flow: the demo's five sensors in real time, alone and while an encoder for a gas sensor is
 * learned in a worker, at half a core and at a whole one: npx tsx test/bench/calibrate-beside.ts [rounds], after npm run build.
 */

const rounds = Number(process.argv[2] ?? 2);
const clock = systemClock();

/** The demo once; how long each window took from its end to its vector, ms. */
async function flow(): Promise<{ late: number[]; lost: number }> {
  const { config, folder, folders } = await loadConfig("examples/demo/demo.yaml");
  const state = await mkdtemp(join(tmpdir(), "sensebind-beside-"));
  const { signal } = new AbortController();
  const late: number[] = [];
  let lost = 0;
  const edge = { signal, clock, log: silent, folder, folders: { ...folders, state }, version: "0", environment: {} };
  for await (const message of run(config, edge)) {
    if (message.kind === "embedding") late.push((clock.now() - message.embedding.to) / 1e3);
    if (message.kind === "lost") lost += 1;
  }
  return { late: late.sort((a, b) => a - b), lost };
}

const random = seeded(1);
const pairs = Array.from({ length: 800 }, (_, i): Pair => {
  const data = Float32Array.from({ length: 8 * 50 }, () => gaussian(random));
  const anchor = normalize(Array.from({ length: 512 }, () => gaussian(random)));
  return { time: micros(i * 1e6), sensor: { dims: [1, 8, 50], data }, anchor, scene: i, visit: i };
});

/** Learns until it is told to stop. */
async function learn(share: number, signal: AbortSignal): Promise<void> {
  await using engine = await workerRuntime({ workers: 1, threads: 1 });
  const folder = await mkdtemp(join(tmpdir(), "sensebind-beside-"));
  const now = (): number => performance.now();
  const options = {
    architecture: seriesTransformer({ dim: 512, width: 64, depth: 2, heads: 4, biasKv: false, patch: 2 }),
    ...{ steps: 100_000, signal },
  };
  const parts = { engine, folder, now, breathe: breathing({ share, signal, now }) };
  await bindSensor({ train: pairs.slice(0, 700), heldOut: pairs.slice(700) }, options, parts).catch((error) => {
    if (!signal.aborted) throw error;
  });
}

async function beside(share: number): Promise<Awaited<ReturnType<typeof flow>> & { cpu: number }> {
  const stop = new AbortController();
  const learning = share === 0 ? Promise.resolve() : learn(share, stop.signal);
  const [began, used] = [performance.now(), process.cpuUsage()];
  const seen = await flow();
  const { user, system } = process.cpuUsage(used);
  const cpu = (user + system) / 1e3 / (performance.now() - began);
  stop.abort();
  await learning;
  return { ...seen, cpu };
}

const at = (sorted: readonly number[], share: number): string =>
  sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(0);
for (let round = 0; round < rounds; round++) {
  for (const [title, share] of [
    ["alone", 0],
    ["learning at half a core", 0.5],
    ["learning at a whole core", 1],
  ] as const) {
    const { late, lost, cpu } = await beside(share);
    console.log(
      `${title}: ${late.length} windows, ${lost} lost; window's end to vector p50 ${at(late, 0.5)} ms, p95 ${at(late, 0.95)} ms, ` +
        `p99 ${at(late, 0.99)} ms, longest ${at(late, 1)} ms; ${cpu.toFixed(2)} cores`,
    );
  }
}
process.exit(0);
