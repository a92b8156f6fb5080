import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Lane } from "../../../src/publish/outbox/letter.js";
import { lanes } from "../../../src/publish/outbox/letter.js";
import { letter, numberOf, open, takeAll } from "./letters.js";

const probe = mkdtempSync(join(tmpdir(), "sensebind-probe-"));
const canMount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", probe]).status === 0;
if (canMount) spawnSync("umount", [probe]);
rmSync(probe, { recursive: true });
const note = canMount ? "" : " (SKIPPED: mounting a tmpfs is not permitted here)";

const laneOf = (number: number): Lane => lanes[Math.floor(number / 2) % 3]!;

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
