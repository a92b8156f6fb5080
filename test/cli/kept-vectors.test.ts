import { mkdtemp, readFile, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { KeptVectors } from "../../src/cli/calibrate/kept-vectors.js";
import { normalize } from "../../src/core/embedding.js";
import { gaussian, seeded } from "../../src/core/random.js";

const dim = 12;
const contents = { key: new Uint8Array(32).fill(7), dim };
const idOf = (i: number): string => i.toString(16).padStart(32, "0");
const random = seeded(3);
const vectors = Array.from({ length: 40 }, () => normalize(Array.from({ length: dim }, () => gaussian(random))));

async function filled(): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "sensebind-kept-")), "vision.vectors");
  await using kept = await KeptVectors.open(path, contents);
  for (const [i, vector] of vectors.entries()) {
    await kept.add(idOf(i), i % 2 === 0 ? { vector } : { vector, light: i / 100 });
  }
  return path;
}

/** How many vectors are there, each of them as it was. */
async function found(path: string): Promise<number> {
  await using kept = await KeptVectors.open(path, contents);
  for (let i = 0; i < kept.size; i++) {
    expect(kept.get(idOf(i))?.vector).toEqual(vectors[i]);
    expect(kept.get(idOf(i))?.light).toEqual(i % 2 === 0 ? undefined : Math.fround(i / 100));
  }
  return kept.size;
}

test("every vector that was added is there again, with its luminance", async () => {
  expect(await found(await filled())).toBe(vectors.length);
});

test("a file cut at any byte gives the vectors before, and takes new ones", async () => {
  const path = await filled();
  const whole = await readFile(path);
  const record = (whole.length - 40) / vectors.length;
  for (let at = whole.length; at >= 0; at -= 61) {
    await writeFile(path, whole.subarray(0, at));
    const there = Math.max(0, Math.floor((at - 40) / record));
    expect(await found(path)).toBe(there);
    {
      await using kept = await KeptVectors.open(path, contents);
      await kept.add(idOf(there), { vector: vectors[there % vectors.length]! });
    }
    await using again = await KeptVectors.open(path, contents);
    expect(again.size).toBe(there + 1);
  }
});

test("a damaged byte costs the vectors from there on, none of them is wrong", async () => {
  const path = await filled();
  const whole = await readFile(path);
  for (let at = 40; at < whole.length; at += 131) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 0x10;
    await writeFile(path, damaged);
    expect(await found(path)).toBe(Math.floor((at - 40) / ((whole.length - 40) / vectors.length)));
  }
});

test("vectors of another encoder are not used", async () => {
  const path = await filled();
  await using other = await KeptVectors.open(path, { ...contents, key: new Uint8Array(32) });
  expect(other.size).toBe(0);
  expect(other.get(idOf(0))).toBeUndefined();
});

test("a file that cannot be made or written says so", async () => {
  const nowhere = KeptVectors.open("/proc/none/vision.vectors", contents);
  await expect(nowhere).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  const path = await filled();
  await truncate(path, 0);
  expect(await found(path)).toBe(0);
});
