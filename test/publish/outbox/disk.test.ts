import { readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { s } from "../../../src/core/time.js";
import { inspectOutbox } from "../../../src/publish/outbox/inspect.js";
import { type Lane, lanes } from "../../../src/publish/outbox/letter.js";
import { crash, letter, numberOf, open, scratch, takeAll } from "./letters.js";

const laneOf = (number: number): Lane => lanes[Math.floor(number / 2) % 3]!;

async function filled(folder: string, count: number) {
  const outbox = await open(folder);
  for (let i = 0; i < count; i++) outbox.append(letter(i, laneOf(i)));
  await outbox.flush();
  return outbox;
}

describe("an outbox on disk", () => {
  it("gives letters of all lanes in the order in which they came", async () => {
    await using folder = await scratch();
    await using outbox = await filled(folder.path, 300);
    expect((await takeAll(outbox)).map(numberOf)).toEqual([...Array(300).keys()]);
  });

  it("after a kill -9, everything that was flushed and not settled is given again, nothing else", async () => {
    await using folder = await scratch();
    await using outbox = await filled(folder.path, 300);
    for (const { position } of (await takeAll(outbox)).slice(0, 120)) outbox.settle(position);
    await outbox.flush();
    await using left = await crash(folder.path);
    await using again = await open(left.path);
    expect((await takeAll(again)).map(numberOf)).toEqual([...Array(180).keys()].map((i) => i + 120));
  });

  it("cut at every offset of every file, it opens, gives a prefix of each lane undamaged, and goes on", async () => {
    await using folder = await scratch();
    await (await filled(folder.path, 12))[Symbol.asyncDispose]();
    for (const file of (await readdir(folder.path)).filter((name) => name.endsWith(".log"))) {
      const lane = file.split("-")[0]!;
      const size = (await stat(join(folder.path, file))).size;
      let most = 0;
      for (let cut = 0; cut <= size; cut++) {
        await using left = await crash(folder.path);
        await truncate(join(left.path, file), cut);
        await using again = await open(left.path);
        again.append(letter(1000, "edge"));
        await again.flush();
        const numbers = (await takeAll(again)).map(numberOf);
        expect(numbers.at(-1)).toBe(1000);
        const own = numbers.filter((number) => number < 1000 && laneOf(number) === lane);
        expect(own).toEqual([...Array(12).keys()].filter((number) => laneOf(number) === lane).slice(0, own.length));
        expect(own.length).toBeGreaterThanOrEqual(most);
        expect(numbers.filter((number) => number < 1000 && laneOf(number) !== lane)).toHaveLength(8);
        most = own.length;
      }
      expect(most).toBe(4);
    }
  }, 120_000);

  it("a byte that changed anywhere in the mark costs at most a second delivery", async () => {
    await using folder = await scratch();
    await using outbox = await filled(folder.path, 6);
    for (const { position } of await takeAll(outbox)) {
      outbox.settle(position);
      await outbox.flush();
    }
    const mark = await readFile(join(folder.path, "mark"));
    for (let at = 0; at < mark.length; at++) {
      await using left = await crash(folder.path);
      const bad = Buffer.from(mark);
      bad[at]! ^= 0xff;
      await writeFile(join(left.path, "mark"), bad);
      await using again = await open(left.path);
      expect((await takeAll(again)).map(numberOf)).toEqual([[], [5]][again.pending]);
    }
  });

  it("a lost link gives the unsettled again in order, and never what was settled meanwhile", async () => {
    await using folder = await scratch();
    await using outbox = await filled(folder.path, 50);
    const taken = await takeAll(outbox);
    for (const i of [0, 1, 2, 5, 9]) outbox.settle(taken[i]!.position);
    outbox.rewind();
    const settled = new Set([0, 1, 2, 5, 9]);
    expect((await takeAll(outbox)).map(numberOf)).toEqual([...Array(50).keys()].filter((i) => !settled.has(i)));
  });

  it("remembers which begins have no end, and where to go on counting", async () => {
    await using folder = await scratch();
    {
      await using outbox = await open(folder.path, { maxBytes: 16_384 * 32 });
      for (let i = 0; i < 2001; i++) outbox.append(letter(i, "edge", 400));
      await outbox.flush();
      await takeAll(outbox, true);
      await outbox.flush();
      outbox.append(letter(2002, "edge"));
      await outbox.flush();
    }
    await using again = await open(folder.path);
    expect(again.recovered.open.map((payload) => numberOf({ payload }))).toEqual([2000, 2002]);
    expect(again.recovered.nextSeq).toBe(2003);
  });

  it("stays within its size: embeddings go first, then updates, begins and ends last; each loss is counted", async () => {
    await using folder = await scratch();
    const maxBytes = 2 ** 20;
    await using outbox = await open(folder.path, { maxBytes });
    const sizes: number[] = [];
    for (let i = 0; i < 6000; i++) {
      outbox.append(letter(i, laneOf(i), 400));
      if (i % 50 === 49) {
        await outbox.flush();
        sizes.push(await size(folder.path));
      }
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxBytes + 64 * 1024);
    const kept = (await takeAll(outbox)).map(numberOf);
    const count = (lane: Lane) => kept.filter((number) => laneOf(number) === lane).length;
    expect(outbox.losses).toEqual({
      embeddings: 2000 - count("embedding"),
      updates: 2000 - count("update"),
      events: 2000 - count("edge"),
    });
    expect(count("edge")).toBe(2000);
    expect(count("update")).toBeLessThan(400);
    expect(count("embedding")).toBeLessThan(60);
  });

  it("even where begins and ends must go, an end whose begin went out is kept", async () => {
    await using folder = await scratch();
    await using outbox = await open(folder.path, { maxBytes: 2 ** 19 });
    outbox.append(letter(0, "edge"));
    await outbox.flush();
    outbox.settle(outbox.take()!.position);
    outbox.append(letter(1, "edge"));
    for (let i = 2; i < 4000; i++) {
      outbox.append(letter(i, "edge", 400));
      if (i % 50 === 0) await outbox.flush();
    }
    await outbox.flush();
    expect(outbox.losses.events).toBeGreaterThan(1000);
    expect((await takeAll(outbox)).map(numberOf)).toContain(1);
  });

  it("age is running time: a letter that waited too long goes, whatever the wall clock says", async () => {
    await using folder = await scratch();
    {
      let now = 0;
      await using outbox = await open(folder.path, { maxAge: s(100), uptime: () => now });
      outbox.append(letter(0));
      now = 60_000;
      outbox.append(letter(1));
      await outbox.flush();
    }
    let now = 5_000_000;
    await using outbox = await open(folder.path, { maxAge: s(100), uptime: () => now });
    now += 70_000;
    expect((await takeAll(outbox)).map(numberOf)).toEqual([1]);
    expect(outbox.losses.events).toBe(1);
  });

  it("two processes cannot use one outbox", async () => {
    await using folder = await scratch();
    await using first = await open(folder.path);
    await expect(open(folder.path)).rejects.toMatchObject({ code: "OUTBOX_IN_USE" });
    expect(first.pending).toBe(0);
  });

  it("whatever happens in whatever order: in order, nothing twice that was settled, nothing lost", async () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant("append" as const),
        lane: fc.constantFrom(...lanes),
        size: fc.integer({ min: 20, max: 9000 }),
      }),
      fc.record({ do: fc.constant("take" as const), count: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ do: fc.constant("settle" as const), which: fc.nat() }),
      fc.record({ do: fc.constantFrom("rewind" as const, "flush" as const, "crash" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        await using folder = await scratch();
        const copies: AsyncDisposable[] = [];
        let outbox = await open(folder.path);
        let place = folder.path;
        let number = 0;
        const unsettled = new Set<number>();
        let out: { position: number; number: number }[] = [];
        for (const now of steps) {
          if (now.do === "append") {
            unsettled.add(number);
            outbox.append(letter(number++, now.lane, now.size));
          } else if (now.do === "take") {
            for (let i = 0; i < now.count; i++) {
              const taken = outbox.take();
              if (taken === undefined) break;
              expect(unsettled).toContain(numberOf(taken));
              expect(numberOf(taken)).toBeGreaterThan(out.at(-1)?.number ?? -1);
              out.push({ position: taken.position, number: numberOf(taken) });
            }
          } else if (now.do === "settle" && out.length > 0) {
            const [gone] = out.splice(now.which % out.length, 1);
            outbox.settle(gone!.position);
            unsettled.delete(gone!.number);
          } else if (now.do === "rewind") {
            outbox.rewind();
            out = [];
          } else if (now.do === "flush") {
            await outbox.flush();
          } else if (now.do === "crash") {
            // Acknowledgements that overtook older ones are not kept: those letters may come twice after a crash.
            for (const { position, number } of out) {
              outbox.settle(position);
              unsettled.delete(number);
            }
            out = [];
            await outbox.flush();
            const left = await crash(place);
            copies.push(left);
            await outbox[Symbol.asyncDispose]();
            place = left.path;
            outbox = await open(place);
          }
        }
        await outbox.flush();
        outbox.rewind();
        expect((await takeAll(outbox)).map(numberOf)).toEqual([...unsettled].sort((a, b) => a - b));
        expect(outbox.losses).toEqual({ embeddings: 0, updates: 0, events: 0 });
        await outbox[Symbol.asyncDispose]();
        for (const copy of copies) await copy[Symbol.asyncDispose]();
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});

async function size(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(folder)) sum += (await stat(join(folder, name))).size;
  return sum;
}

it("can be looked into while it is in use, by another process too", async () => {
  await using folder = await scratch();
  expect(await inspectOutbox(join(folder.path, "none"))).toBeUndefined();
  await using outbox = await filled(folder.path, 30);
  for (const { position } of (await takeAll(outbox)).slice(0, 12)) outbox.settle(position);
  await outbox.flush();
  expect(await inspectOutbox(folder.path)).toMatchObject({
    waiting: 18,
    losses: { embeddings: 0, updates: 0, events: 0 },
  });
});
