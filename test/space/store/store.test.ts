import { mkdtempSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cosine, type Embedding, normalize } from "../../../src/core/embedding.js";
import { gaussian, seeded } from "../../../src/core/random.js";
import { type Duration, type Micros, s } from "../../../src/core/time.js";
import { search } from "../../../src/space/store/search.js";
import { Store } from "../../../src/space/store/store.js";

const dim = 16;
const space = { id: "test:1", dim };
const folder = () => join(mkdtempSync(join(tmpdir(), "store-")), "s");
const random = seeded(7);
const vector = () => normalize(Array.from({ length: dim }, () => gaussian(random)));

const embedding = (i: number, extra: Partial<Embedding> = {}): Embedding => ({
  sensor: i % 2 === 0 ? "mic" : "camera",
  modality: i % 2 === 0 ? "audio" : "vision",
  seq: i,
  from: (i * 1e6) as Micros,
  to: ((i + 1) * 1e6) as Micros,
  space: space.id,
  vector: vector(),
  ...extra,
});

const fill = (store: Store, items: readonly Embedding[]): void => {
  for (const item of items) store.add(item);
  store.flush();
};

describe("search", () => {
  test("gives the nearest of all segments, as a scan of everything would", async () => {
    const store = Store.open(folder(), space, { segmentBytes: dim * 4 * 10 });
    const items = Array.from({ length: 57 }, (_, i) => embedding(i));
    fill(store, items);
    const query = vector();
    const hits = await search(store, query, { top: 5 });
    const expected = items
      .map((item) => ({ seq: item.seq, score: cosine(item.vector, query) }))
      .sort((a, b) => b.score - a.score);
    expect(hits.map((hit) => hit.seq)).toEqual(expected.slice(0, 5).map((item) => item.seq));
    expect(hits[0]!.score).toBeCloseTo(expected[0]!.score, 5);
    expect(store.segments.length).toBe(6);
  });

  test("filters by sensor, modality and time", async () => {
    const store = Store.open(folder(), space);
    fill(
      store,
      Array.from({ length: 40 }, (_, i) => embedding(i)),
    );
    const filter = {
      sensor: "mic",
      modality: "audio",
      since: s(10) as number as Micros,
      until: s(20) as number as Micros,
    } as const;
    const hits = await search(store, vector(), { top: 100, filter });
    expect(hits.map((hit) => hit.seq).sort((a, b) => a - b)).toEqual([10, 12, 14, 16, 18]);
  });

  test("a query of another dimension is refused", async () => {
    const store = Store.open(folder(), space);
    await expect(search(store, normalize([1, 2]), { top: 1 })).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
  });
});

describe("the store", () => {
  test("is there again after it was closed, and goes on in the same segment", async () => {
    const path = folder();
    fill(Store.open(path, space), [embedding(0), embedding(1)]);
    const again = Store.open(path, space);
    fill(again, [embedding(2)]);
    expect(again.count).toBe(3);
    expect(readdirSync(path).filter((name) => name.endsWith(".rows"))).toHaveLength(1);
    expect((await search(again, vector(), { top: 9 })).map((hit) => hit.sensor).sort()).toEqual([
      "camera",
      "mic",
      "mic",
    ]);
  });

  test("never mixes spaces", () => {
    const path = folder();
    const store = Store.open(path, space);
    expect(() => store.add(embedding(0, { space: "other:2" }))).toThrow(
      expect.objectContaining({ code: "SPACE_MISMATCH" }),
    );
    expect(() => Store.open(path, { id: "other:2", dim })).toThrow(expect.objectContaining({ code: "SPACE_MISMATCH" }));
  });

  test.each(["f32", "rows"])(
    "a write cut off at any byte of the .%s file leaves every whole row before it",
    (ending) => {
      const whole = folder();
      const items = Array.from({ length: 4 }, (_, i) => embedding(i));
      const store = Store.open(whole, space);
      for (const item of items) fill(store, [item]);
      const file = (path: string, end: string) => join(path, `00000001.${end}`);
      const size = readFileSync(file(whole, ending)).length;
      for (let cut = 0; cut <= size; cut++) {
        const path = folder();
        Store.open(path, space);
        for (const name of ["store.json", "00000001.f32", "00000001.rows"])
          writeFileSync(join(path, name), readFileSync(join(whole, name)));
        truncateSync(file(path, ending), cut);
        const recovered = Store.open(path, space);
        expect(recovered.count).toBe(Math.floor(cut / (size / items.length)));
        fill(recovered, [embedding(9)]);
        expect(Store.open(path, space).count).toBe(recovered.count);
      }
    },
  );

  test("a vector that did not reach the disk does not count, though its place is there", () => {
    const path = folder();
    fill(Store.open(path, space), [embedding(0), embedding(1)]);
    const matrix = readFileSync(join(path, "00000001.f32"));
    writeFileSync(join(path, "00000001.f32"), matrix.fill(0, dim * 4));
    expect(Store.open(path, space).count).toBe(1);
  });

  test("gives up its oldest segments beyond its size and age", () => {
    const small = Store.open(folder(), space, { segmentBytes: dim * 4 * 10, maxBytes: 25 * (dim * 4 + 32) });
    fill(
      small,
      Array.from({ length: 100 }, (_, i) => embedding(i)),
    );
    expect(small.count).toBe(20);
    const short = Store.open(folder(), space, { segmentBytes: dim * 4 * 10, maxAge: s(15) as Duration });
    fill(
      short,
      Array.from({ length: 100 }, (_, i) => embedding(i)),
    );
    expect(short.segments[0]!.row(0).from).toBe(80e6);
  });

  test("a folder that is no store is refused with what to do", () => {
    const path = folder();
    Store.open(path, space);
    writeFileSync(join(path, "store.json"), "{");
    expect(() => Store.open(path, space)).toThrow(expect.objectContaining({ code: "BAD_STORE" }));
  });
});
