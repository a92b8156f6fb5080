import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cosine, type Embedding, normalize, type UnitVector } from "../../../src/core/embedding.js";
import { gaussian, seeded } from "../../../src/core/random.js";
import { type Micros, micros } from "../../../src/core/time.js";
import { buildIndex } from "../../../src/space/store/build-index.js";
import { Centroids, train } from "../../../src/space/store/centroids.js";
import { CodeMemory } from "../../../src/space/store/code-memory.js";
import { quantize, quantizeQuery, strideOf } from "../../../src/space/store/codes.js";
import { indexInBackground } from "../../../src/space/store/index-in-background.js";
import { sourceSha256 } from "../../../src/space/store/kernels.js";
import { search } from "../../../src/space/store/search.js";
import { Store } from "../../../src/space/store/store.js";
import { StoreIndex } from "../../../src/space/store/store-index.js";

const dim = 48;
const space = { id: "test:1", dim };
const random = seeded(11);
const noise = (): UnitVector => normalize(Array.from({ length: dim }, () => gaussian(random)));
const middles = Array.from({ length: 12 }, noise);
const member = (): UnitVector => {
  const middle = middles[Math.floor(random() * middles.length)]!;
  return normalize(middle.map((value) => value + 0.08 * gaussian(random)));
};

const embedding = (i: number, vector: UnitVector): Embedding => ({
  sensor: `s${i % 3}`,
  modality: i % 2 === 0 ? "audio" : "vision",
  seq: i,
  from: (i * 1e6) as Micros,
  to: ((i + 1) * 1e6) as Micros,
  space: space.id,
  vector,
});

const rowsOfSegment = 100;

function filled(count: number, vector: () => UnitVector = member): Store {
  const folder = join(mkdtempSync(join(tmpdir(), "index-")), "s");
  const store = Store.open(folder, space, { segmentBytes: dim * 4 * rowsOfSegment });
  for (let i = 0; i < count; i++) store.add(embedding(i, vector()));
  store.flush();
  return store;
}

/** The store as another process finds it. */
const reopened = ({ folder }: Store): Store => Store.open(folder, space, { segmentBytes: dim * 4 * rowsOfSegment });

function scan(store: Store, query: UnitVector, top: number): number[] {
  const all = store.segments.flatMap((segment) => {
    const vectors = segment.vectors();
    return Array.from({ length: segment.count }, (_, row) => ({
      seq: segment.row(row).seq,
      score: cosine(vectors.subarray(row * dim, (row + 1) * dim) as UnitVector, query),
    }));
  });
  return all
    .sort((a, b) => b.score - a.score || a.seq - b.seq)
    .slice(0, top)
    .map(({ seq }) => seq);
}

const seqs = (hits: readonly { readonly seq: number }[]): number[] => hits.map(({ seq }) => seq);
/** Lists although the store is small. */
const built = (store: Store): void => buildIndex(store.folder, { dim, flatBytes: 0 });

test("the compiled kernel is that of the source", () => {
  const sha256 = createHash("sha256").update(readFileSync("kernels/scan.ts")).digest("hex");
  expect(sourceSha256, "run npx tsx kernels/build.ts").toBe(sha256);
});

describe("codes", () => {
  test("are never further from a cosine than they say, whatever the vectors", () => {
    const component = fc.double({ min: -1, max: 1, noNaN: true });
    const vector = fc
      .array(component, { minLength: 40, maxLength: 40 })
      .filter((list) => Math.hypot(...list) > 1e-3)
      .map(normalize);
    fc.assert(
      fc.property(vector, vector, (stored, asked) => {
        const memory = new CodeMemory(strideOf(40));
        const matrix = memory.allocate(1)!;
        const { scale, error } = quantize(stored, memory.codes(matrix, 0, 1));
        memory.scales(matrix, 0, 1)[0] = scale;
        const query = quantizeQuery(asked);
        memory.ask(query.codes);
        const product = memory.products(matrix, 0, 1)[0]! * query.scale;
        expect(Math.abs(product - cosine(stored, asked))).toBeLessThanOrEqual(
          error * query.length + query.error + 1e-6,
        );
      }),
    );
  });

  test("do not overflow for the longest sums: a flat vector with itself, up to 4096 dimensions", () => {
    for (const size of [32, 1024, 4096]) {
      const flat = normalize(new Array(size).fill(-1));
      const memory = new CodeMemory(strideOf(size));
      const matrix = memory.allocate(1)!;
      memory.scales(matrix, 0, 1)[0] = quantize(flat, memory.codes(matrix, 0, 1)).scale;
      const query = quantizeQuery(flat);
      memory.ask(query.codes);
      expect(memory.products(matrix, 0, 1)[0]! * query.scale).toBeCloseTo(1, 3);
    }
  });

  test("what is given back is used again: the memory does not grow with what came and went", () => {
    const memory = new CodeMemory(strideOf(dim));
    const first = memory.allocate(500)!;
    memory.allocate(1);
    const { size } = memory;
    memory.release(first, 500);
    for (let i = 0; i < 50; i++) {
      const [a, b] = [memory.allocate(200)!, memory.allocate(300)!];
      memory.release(a, 200);
      memory.release(b, 300);
    }
    expect(memory.size).toBe(size);
    expect(new CodeMemory(strideOf(dim), 1e6).allocate(1e6)).toBeUndefined();
  });
});

describe("exact search", () => {
  test("equals a scan of the float32 vectors, before and after the index is built, and while a segment grows", async () => {
    const store = filled(430);
    const agree = async (subject: Store): Promise<void> => {
      for (const query of [member(), noise(), member()]) {
        expect(seqs(await search(subject, query, { top: 7, exact: true }))).toEqual(scan(subject, query, 7));
      }
    };
    await agree(store);
    for (let i = 430; i < 470; i++) {
      store.add(embedding(i, member()));
      store.flush();
      if (i % 10 === 0) await agree(store);
    }
    built(store);
    await agree(store);
    await agree(reopened(store));
  });

  test("equal vectors come in the order in which they were stored", async () => {
    const same = member();
    const store = filled(250, () => same);
    built(store);
    expect(seqs(await search(reopened(store), same, { top: 5, exact: true }))).toEqual([0, 1, 2, 3, 4]);
  });

  test("searches at the same time do not disturb one another", async () => {
    const store = filled(350);
    const queries = Array.from({ length: 8 }, member);
    const hits = await Promise.all(queries.map((query) => search(store, query, { top: 5 })));
    expect(hits.map(seqs)).toEqual(queries.map((query) => scan(store, query, 5)));
  });

  test("what the memory has no room for is read from disk, with the same result", async () => {
    const store = filled(450);
    const tight = new StoreIndex(store.folder, dim, 45_000);
    Object.defineProperty(store, "index", { value: tight });
    const query = member();
    expect(seqs(await search(store, query, { top: 9 }))).toEqual(scan(store, query, 9));
    expect(tight.memory.size).toBeLessThanOrEqual(45_000);
  });
});

describe("approximate search", () => {
  const approximate = (store: Store, query: UnitVector, probes: number) =>
    search(store, query, { top: 10, probes, approximateFrom: 0 });

  test("finds nearly all of the best in a part of the lists, and all of them in all lists", async () => {
    const store = filled(2050);
    built(store);
    const subject = reopened(store);
    const count = subject.index.centroids!.count;
    let found = 0;
    for (let i = 0; i < 20; i++) {
      const query = member();
      const truth = scan(subject, query, 10);
      found += seqs(await approximate(subject, query, Math.ceil(count / 8))).filter((seq) =>
        truth.includes(seq),
      ).length;
      expect(seqs(await approximate(subject, query, count))).toEqual(truth);
    }
    expect(found / 200).toBeGreaterThan(0.95);
  });

  test("finds what was stored after the index was built", async () => {
    const store = filled(1050);
    built(store);
    const subject = reopened(store);
    const newest = member();
    for (let i = 1050; i < 1200; i++) subject.add(embedding(i, i === 1199 ? newest : member()));
    subject.flush();
    expect((await approximate(subject, newest, 4))[0]!.seq).toBe(1199);
  });

  test("with a filter it is exact: what is rare is not missed", async () => {
    const store = filled(1050);
    built(store);
    const filter = { sensor: "s1", since: micros(499.5e6), until: micros(502e6) };
    const hits = await search(reopened(store), noise(), { top: 10, filter, approximateFrom: 0, probes: 1 });
    expect(seqs(hits)).toEqual([499]);
  });
});

describe("the index on disk", () => {
  test.each(["00000001.index", "centroids.f32"])(
    "%s cut off or changed is not used, and is built again",
    async (name) => {
      const store = filled(1050);
      built(store);
      const path = join(store.folder, name);
      const whole = readFileSync(path);
      for (const harm of [
        () => truncateSync(path, Math.floor(whole.length / 2)),
        () => truncateSync(path, 3),
        () =>
          writeFileSync(
            path,
            Uint8Array.from(whole, (byte, i) => (i === whole.length - 5 ? byte ^ 1 : byte)),
          ),
        () => rmSync(path),
      ]) {
        harm();
        const query = member();
        expect(seqs(await search(reopened(store), query, { top: 5, exact: true }))).toEqual(scan(store, query, 5));
        built(store);
        expect(readFileSync(path)).toEqual(whole);
      }
    },
  );

  test("what is there is left alone, so a new segment costs one segment", () => {
    const store = filled(1050);
    built(store);
    const path = join(store.folder, "00000001.index");
    utimesSync(path, 1, 1);
    for (let i = 1050; i < 1150; i++) store.add(embedding(i, member()));
    store.flush();
    built(store);
    expect(statSync(path).mtimeMs).toBe(1000);
    expect(statSync(join(store.folder, "00000011.index")).size).toBeGreaterThan(0);
  });

  test("the same store and seed give the same middles", () => {
    const sample = Array.from({ length: 200 }, member);
    expect(train(sample, 8, seeded(3)).id).toBe(train(sample, 8, seeded(3)).id);
    expect(Centroids.load("nowhere", dim)).toBeUndefined();
  });

  test("a thread of its own builds it, and the next search uses it", async () => {
    const store = filled(450);
    let indexing: AsyncDisposable | undefined;
    await new Promise<void>((resolve, reject) => {
      indexing = indexInBackground(store, {
        info: () => resolve(),
        warn: ({ error }) => reject(new Error(`${error}`)),
      });
    });
    await indexing?.[Symbol.asyncDispose]();
    expect(statSync(join(store.folder, "00000001.index")).size).toBeGreaterThan(0);
    const query = member();
    expect(seqs(await search(store, query, { top: 5 }))).toEqual(scan(store, query, 5));
  });
});
