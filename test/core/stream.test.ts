import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interleave, mapAhead, merge } from "../../src/core/stream.js";

async function* from<T>(values: readonly T[], turns = 0): AsyncGenerator<T> {
  for (const value of values) {
    for (let i = 0; i < turns; i++) await Promise.resolve();
    yield value;
  }
}

const collect = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const out: T[] = [];
  for await (const value of source) out.push(value);
  return out;
};

describe("merge", () => {
  test("gives every value once and keeps the order of each source", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.array(fc.nat(9), { maxLength: 20 }), fc.nat(5))), async (inputs) => {
        const sources = inputs.map(([values, turns], i) =>
          from(
            values.map((value, n) => ({ i, n, value })),
            turns,
          ),
        );
        const merged = await collect(merge(sources));
        inputs.forEach(([values], i) => {
          expect(merged.filter((item) => item.i === i).map((item) => item.value)).toEqual(values);
        });
        expect(merged).toHaveLength(inputs.reduce((sum, [values]) => sum + values.length, 0));
      }),
    );
  });

  test("a slow reader slows a fast source: it is at most one value ahead", async () => {
    let produced = 0;
    async function* endless() {
      for (;;) yield produced++;
    }
    let read = 0;
    for await (const _ of merge([endless()])) {
      expect(produced - read).toBeLessThanOrEqual(2);
      if (++read === 50) break;
    }
  });

  test("a source that fails ends the whole, after the others were told to stop", async () => {
    const controller = new AbortController();
    let closed = false;
    async function* silent() {
      try {
        await new Promise((resolve) => controller.signal.addEventListener("abort", resolve));
        yield 0;
      } finally {
        closed = true;
      }
    }
    async function* broken() {
      yield 1;
      throw new Error("unplugged");
    }
    await expect(collect(merge<number>([silent(), broken()], () => controller.abort()))).rejects.toThrow("unplugged");
    expect(closed).toBe(true);
  });
});

describe("interleave", () => {
  test("sorted sources give one sorted sequence, the same whatever their speed", async () => {
    const times = fc.array(fc.nat(50), { maxLength: 15 }).map((list) => list.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(
        fc.array(times, { maxLength: 5 }),
        fc.array(fc.nat(4), { minLength: 5, maxLength: 5 }),
        async (lists, speeds) => {
          const items = lists.map((list, i) => list.map((time) => ({ i, time })));
          const run = (turns: readonly number[]) =>
            collect(
              interleave(
                items.map((list, i) => from(list, turns[i] ?? 0)),
                (item) => item.time,
              ),
            );
          const result = await run(speeds);
          const expected = items.flat().sort((a, b) => a.time - b.time || a.i - b.i);
          expect(result).toEqual(expected);
          expect(await run([...speeds].reverse())).toEqual(expected);
        },
      ),
    );
  });
});

describe("mapAhead", () => {
  test("keeps the order of the values though later work ends first", async () => {
    const releases: (() => void)[] = [];
    const work = (value: number) =>
      new Promise<number>((resolve) => {
        releases.push(() => resolve(value));
        if (releases.length === 3) for (const release of releases.reverse()) release();
        if (value >= 3) resolve(value);
      });
    expect(await collect(mapAhead(from([0, 1, 2, 3, 4]), 3, work))).toEqual([0, 1, 2, 3, 4]);
  });

  test("passes on the first failure, and a later failure is no unhandled rejection", async () => {
    const work = async (value: number) => {
      throw new Error(`no ${value}`);
    };
    await expect(collect(mapAhead(from([1, 2]), 2, work))).rejects.toThrow("no 1");
  });
});
