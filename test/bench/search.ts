/*
 * Search in a store, CPU time a query of one thread: 100,000 x 1024 exact, 1,000,000 x 512 by lists.
 *   npx tsx test/bench/search.ts [--exact 100000] [--lists 1000000] [--folder <where stores are kept>] [--queries 50]
 * Vectors are clustered as embeddings are: 5000 middles in a subspace of 64 dimensions, off the origin, each with its own
 * spread. Queries are of three kinds: new members of the clusters, the same shifted as words are from pictures, and noise.
 */
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { normalize, type UnitVector } from "../../src/core/embedding.js";
import { gaussian, seeded } from "../../src/core/random.js";
import type { Micros } from "../../src/core/time.js";
import { buildIndex } from "../../src/space/store/build-index.js";
import { type Hit, search } from "../../src/space/store/search.js";
import { Store } from "../../src/space/store/store.js";

const { values } = parseArgs({
  options: {
    exact: { type: "string", default: "100000" },
    lists: { type: "string", default: "1000000" },
    folder: { type: "string" },
    queries: { type: "string", default: "50" },
    probes: { type: "string", default: "16,32,64" },
  },
});
const folder = values.folder ?? mkdtempSync(join(tmpdir(), "search-"));

interface Source {
  readonly member: () => UnitVector;
  readonly shifted: () => UnitVector;
  readonly noise: () => UnitVector;
}

function source(dim: number, seed: number): Source {
  const world = seeded(7);
  const table = Float32Array.from({ length: 1 << 20 }, () => gaussian(world));
  const axes = Array.from({ length: 64 }, () => table.subarray(...span(world, dim)));
  const cone = normalize(table.subarray(...span(world, dim)));
  const shift = normalize(table.subarray(...span(world, dim)));
  const middles = Array.from({ length: 5000 }, () => {
    const sum = new Float32Array(dim);
    for (const axis of axes) {
      const much = gaussian(world);
      for (let i = 0; i < dim; i++) sum[i]! += much * axis[i]!;
    }
    const direction = normalize(sum);
    return { middle: normalize(direction.map((value, i) => value + 0.7 * cone[i]!)), spread: 0.3 + 0.5 * world() };
  });
  const random = seeded(seed);
  const around = (extra: number): UnitVector => {
    const { middle, spread } = middles[Math.floor(random() * middles.length)]!;
    const noise = table.subarray(...span(random, dim));
    const size = spread / Math.sqrt(dim);
    return normalize(middle.map((value, i) => value + size * noise[i]! + extra * shift[i]!));
  };
  return {
    member: () => around(0),
    shifted: () => around(0.8),
    noise: () => normalize(Float32Array.from({ length: dim }, () => gaussian(random))),
  };
}

function span(random: () => number, dim: number): [number, number] {
  const at = Math.floor(random() * ((1 << 20) - dim));
  return [at, at + dim];
}

function filled(rows: number, dim: number): Store {
  const path = join(folder, `${rows}x${dim}`);
  const there = existsSync(path);
  const store = Store.open(path, { id: "bench:1", dim }, { maxBytes: 1e12 });
  if (there && store.count === rows) return store;
  const { member } = source(dim, 1);
  for (let i = store.count; i < rows; i++) {
    const [from, to] = [i * 1e6, (i + 1) * 1e6] as [Micros, Micros];
    store.add({ sensor: `cam${i % 4}`, modality: "vision", seq: i, from, to, space: "bench:1", vector: member() });
  }
  store.flush();
  return store;
}

interface Measured {
  readonly cpu: number;
  readonly wall: number;
  readonly hits: readonly (readonly Hit[])[];
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1]!;

async function measure(queries: readonly UnitVector[], ask: (query: UnitVector) => Promise<Hit[]>): Promise<Measured> {
  await ask(queries[0]!);
  const cpu: number[] = [];
  const wall: number[] = [];
  const hits: Hit[][] = [];
  for (const query of queries) {
    const before = process.cpuUsage();
    const began = performance.now();
    hits.push(await ask(query));
    wall.push(performance.now() - began);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1e3);
  }
  return { cpu: median(cpu), wall: median(wall), hits };
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

function recall(found: readonly (readonly Hit[])[], truth: readonly (readonly Hit[])[]): number {
  let same = 0;
  for (const [i, hits] of truth.entries()) {
    const seqs = new Set(found[i]!.map(({ seq }) => seq));
    same += hits.filter(({ seq }) => seqs.has(seq)).length / hits.length;
  }
  return same / truth.length;
}

/** All products of the store's float32 vectors: what the search must equal. */
function plain(store: Store, queries: readonly UnitVector[], top: number): number[][] {
  const best = queries.map(() => [] as { seq: number; score: number }[]);
  for (const segment of store.segments) {
    const vectors = segment.vectors();
    for (let row = 0; row < segment.count; row++) {
      for (const [q, query] of queries.entries()) {
        let score = 0;
        for (let i = 0; i < query.length; i++) score += query[i]! * vectors[row * query.length + i]!;
        const list = best[q]!;
        if (list.length === top && score <= list.at(-1)!.score) continue;
        list.push({ seq: segment.row(row).seq, score });
        list.sort((a, b) => b.score - a.score);
        if (list.length > top) list.pop();
      }
    }
  }
  return best.map((list) => list.map(({ seq }) => seq));
}

const count = Number(values.queries);
const kinds = ["member", "shifted", "noise"] as const;

async function exact(rows: number, dim: number): Promise<void> {
  const store = filled(rows, dim);
  const before = process.memoryUsage().rss;
  const began = performance.now();
  await search(store, source(dim, 2).member(), { top: 10, exact: true });
  print(`${rows} x ${dim}, exact: first query ${(performance.now() - began).toFixed(0)} ms (codes made)`);
  for (const kind of kinds) {
    const queries = Array.from({ length: count }, source(dim, 3)[kind]);
    const { cpu, wall, hits } = await measure(queries, (query) => search(store, query, { top: 10, exact: true }));
    const few = queries.slice(0, 5);
    const same = plain(store, few, 10).every((seqs, i) => seqs.join() === hits[i]!.map(({ seq }) => seq).join());
    print(`  ${kind}: ${cpu.toFixed(1)} ms CPU, ${wall.toFixed(1)} ms a query; equal to float32: ${same}`);
  }
  print(
    `  memory: ${megabytes(process.memoryUsage().rss - before)}, of which codes ${megabytes(store.index.memory.size)}`,
  );
}

async function lists(rows: number, dim: number): Promise<void> {
  const store = filled(rows, dim);
  const used = process.cpuUsage();
  buildIndex(store.folder, { dim });
  const { user, system } = process.cpuUsage(used);
  const before = process.memoryUsage().rss;
  const began = performance.now();
  await search(store, source(dim, 2).member(), { top: 10 });
  const open = performance.now() - began;
  print(
    `${rows} x ${dim}, by ${store.index.centroids?.count} lists: built in ${((user + system) / 1e6).toFixed(0)} s CPU, read in ${open.toFixed(0)} ms`,
  );
  for (const kind of kinds) {
    const queries = Array.from({ length: count }, source(dim, 3)[kind]);
    const truth = await measure(queries, (query) => search(store, query, { top: 10, exact: true }));
    print(`  ${kind}, exact: ${truth.cpu.toFixed(1)} ms CPU, ${truth.wall.toFixed(1)} ms`);
    for (const probes of values.probes.split(",").map(Number)) {
      const { cpu, wall, hits } = await measure(queries, (query) => search(store, query, { top: 10, probes }));
      print(
        `  ${kind}, ${probes} lists: ${cpu.toFixed(1)} ms CPU, ${wall.toFixed(1)} ms, recall@10 ${recall(hits, truth.hits).toFixed(3)}`,
      );
    }
  }
  print(
    `  memory: ${megabytes(process.memoryUsage().rss - before)}, of which codes ${megabytes(store.index.memory.size)}`,
  );
}

if (Number(values.exact) > 0) await exact(Number(values.exact), 1024);
if (Number(values.lists) > 0) await lists(Number(values.lists), 512);
