import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seeded } from "../../../src/core/random.js";
import type { Lane } from "../../../src/publish/outbox/letter.js";
import { lanes, lossOf } from "../../../src/publish/outbox/letter.js";
import { laneOf } from "./full-lanes.js";
import { crash, letter, numberOf, open, takeAll } from "./letters.js";

const probe = mkdtempSync(join(tmpdir(), "sensebind-probe-"));
const canMount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", probe]).status === 0;
if (canMount) spawnSync("umount", [probe]);
rmSync(probe, { recursive: true });
const note = canMount ? "" : " (SKIPPED: mounting a tmpfs is not permitted here)";

const writer = fileURLToPath(new URL("./full-writer.ts", import.meta.url));

interface Told {
  readonly settling?: readonly number[];
  readonly settled?: readonly number[];
  readonly flushed?: number;
}

/** Letters that the writer appends between two lines. */
const step = 40;
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Runs the writer on a folder, and kills it -9 a little after it has said so many lines. */
async function killFull(
  folder: string,
  from: number,
  { lines, after }: { lines: number; after: number },
): Promise<Told[]> {
  const args = ["--import", "tsx", writer, folder, String(from)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    if (text.split("\n").length > lines) setTimeout(() => child.kill("SIGKILL"), after);
  });
  await once(child, "close");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Told);
}

describe.skipIf(!canMount)(`on a disk of 1 MB${note}`, () => {
  let disk = "";
  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), "sensebind-full-"));
    expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]).status).toBe(0);
  });
  afterEach(() => {
    spawnSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true });
  });

  it("a disk that fills up costs embeddings first, then updates; begins and ends are kept, each loss is counted", async () => {
    await using outbox = await open(join(disk, "outbox"), { maxBytes: 64 * 2 ** 20 });
    for (let i = 0; i < 3000; i++) {
      outbox.append(letter(i, laneOf(i), 500));
      if (i % 60 === 59) await outbox.flush();
    }
    await outbox.flush();
    expect(statfsSync(disk).bsize * statfsSync(disk).bfree).toBeLessThan(300_000);
    const kept = (await takeAll(outbox)).map(numberOf);
    const count = (lane: Lane) => kept.filter((number) => laneOf(number) === lane).length;
    expect(count("edge")).toBe(1000);
    expect(count("update")).toBeGreaterThan(count("embedding"));
    expect(outbox.losses).toEqual({
      embeddings: 1000 - count("embedding"),
      updates: 1000 - count("update"),
      events: 0,
    });
  });

  it("a disk that others fill takes nothing, yet a broker that is there gets everything, and later the disk is used again", async () => {
    const outbox = await open(join(disk, "outbox"));
    const ballast = join(disk, "ballast");
    expect(() => writeFileSync(ballast, Buffer.alloc(2 ** 21))).toThrow("ENOSPC");
    for (let i = 0; i < 100; i++) outbox.append(letter(i, laneOf(i), 5000));
    await outbox.flush();
    outbox.rewind();
    expect((await takeAll(outbox, true)).map(numberOf)).toEqual([...Array(100).keys()]);
    await unlink(ballast);
    for (let i = 100; i < 150; i++) outbox.append(letter(i, laneOf(i), 500));
    await outbox.flush();
    expect(outbox.losses).toEqual({ embeddings: 0, updates: 0, events: 0 });
    await outbox[Symbol.asyncDispose]();
    await using again = await open(join(disk, "outbox"));
    expect((await takeAll(again)).map(numberOf)).toEqual([...Array(50).keys()].map((i) => i + 100));
  });

  it("on a full disk, what a kill would leave and what is counted as lost is at any time everything that was appended", async () => {
    await using outbox = await open(join(disk, "outbox"), { maxBytes: 2 ** 21 });
    let settled: readonly number[] = [];
    for (let appended = 0; appended < 9000; ) {
      for (const end = appended + step; appended < end; appended++)
        outbox.append(letter(appended, laneOf(appended), 700));
      await outbox.flush();
      const next = outbox.take();
      if (next !== undefined) settled = [...settled, numberOf(next)];
      if (next !== undefined) outbox.settle(next.position);
      outbox.rewind();
      if (appended % 600 !== 0) continue;
      await outbox.flush();
      await using left = await crash(join(disk, "outbox"));
      await using again = await open(left.path);
      const there = new Set([...settled, ...(await takeAll(again)).map(numberOf)]);
      const absent = range(0, appended).filter((number) => !there.has(number));
      const counted = Object.fromEntries(lanes.map((lane) => [lossOf[lane], 0]));
      for (const number of absent) counted[lossOf[laneOf(number)]]!++;
      expect([appended, again.losses]).toEqual([appended, counted]);
    }
    expect(outbox.losses.events).toBeGreaterThan(0);
  }, 60_000);

  it("a process killed with -9 while the disk is full: nothing settled comes again, what fitted is there, each loss is counted", async () => {
    const folder = join(disk, "outbox");
    const settling = new Set<number>();
    const settled = new Set<number>();
    /** Numbers that were surely on disk or given up, and those of the step in which the process died. */
    const certain: number[] = [];
    const unsure: number[] = [];
    const random = seeded(7);
    for (let round = 0, from = 0; round < 6; round++) {
      const told = await killFull(folder, from, { lines: 60 + Math.floor(random() * 40), after: random() * 8 });
      for (const line of told) for (const number of line.settling ?? []) settling.add(number);
      for (const line of told) for (const number of line.settled ?? []) settled.add(number);
      const { flushed = 0 } = told.findLast((line) => line.flushed !== undefined)!;
      certain.push(...range(from, flushed + 1));
      unsure.push(...range(flushed + 1, flushed + 1 + step));
      from = flushed + 1 + step;

      const again = await open(folder);
      const there = (await takeAll(again)).map(numberOf);
      const { losses, pending } = again;
      await again[Symbol.asyncDispose]();
      expect(there.filter((number) => settled.has(number))).toEqual([]);
      expect([new Set(there).size, pending]).toEqual([there.length, there.length]);
      const absent = (numbers: readonly number[]) => numbers.filter((number) => !there.includes(number));
      for (const lane of lanes) {
        const ofLane = (numbers: readonly number[]) => numbers.filter((number) => laneOf(number) === lane).length;
        const lost = absent(certain).filter((number) => !settling.has(number));
        const perhaps = absent(unsure).length + [...settling].filter((number) => !settled.has(number)).length;
        expect(losses[lossOf[lane]], `${lane} in round ${round}`).toBeGreaterThanOrEqual(ofLane(lost));
        expect(losses[lossOf[lane]], `${lane} in round ${round}`).toBeLessThanOrEqual(ofLane(lost) + perhaps);
      }
    }
    expect(settled.size).toBeGreaterThan(100);
  }, 120_000);

  it("what the mark says survives although not one byte can be written", async () => {
    const folder = join(disk, "outbox");
    {
      await using outbox = await open(folder);
      for (let i = 0; i < 10; i++) outbox.append(letter(i));
      await outbox.flush();
      expect(() => writeFileSync(join(disk, "ballast"), Buffer.alloc(2 ** 21))).toThrow("ENOSPC");
      for (let i = 0; i < 4; i++) outbox.settle(outbox.take()!.position);
      await outbox.flush();
    }
    await using again = await open(folder);
    expect((await takeAll(again)).map(numberOf)).toEqual([4, 5, 6, 7, 8, 9]);
  });
});
