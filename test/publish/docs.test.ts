import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { mqttPage } from "../../scripts/mqtt-page.js";
import { decodeEmbedding, dtypes, encodeEmbedding } from "../../src/publish/embedding-format.js";
import { embedding } from "../support/wire.js";

const page = readFileSync(new URL("../../docs/mqtt.md", import.meta.url), "utf8");
const snippet = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)![1]!;

const installed = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;
const note = (program: string): string => (installed(program) ? "" : ` (SKIPPED: ${program} is not installed)`);

const folder = mkdtempSync(join(tmpdir(), "sensebind-docs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const spaceTag = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 255]);
const samples = dtypes.map((dtype) => encodeEmbedding(embedding(5, 37), { dtype, spaceTag }));

/** What a program printed: seq, from, then the vector. */
function check(printed: string, payload: Uint8Array): void {
  const [seq, from, ...vector] = printed.trim().split(/\s+/).map(Number);
  const wanted = decodeEmbedding(payload);
  expect([seq, from]).toEqual([wanted.seq, wanted.from]);
  expect(vector).toHaveLength(37);
  for (const [i, value] of vector.entries()) expect(Math.abs(value - wanted.vector[i]!)).toBeLessThan(1e-6);
}

describe("docs/mqtt.md", () => {
  it("is what the code says: `npm run docs:mqtt`", () => {
    expect(page).toBe(mqttPage());
  });

  it.skipIf(!installed("python3"))(`its Python reads every kind of embedding${note("python3")}`, () => {
    const file = join(folder, "decode.py");
    const main =
      "import sys\nfound = decode(sys.stdin.buffer.read())\nprint(found['seq'], found['from'], *found['vector'])\n";
    writeFileSync(file, `${snippet("python")}\n${main}`);
    for (const payload of samples) check(execFileSync("python3", [file], { input: payload }).toString(), payload);
  });

  it.skipIf(!installed("cc"))(`its C reads every kind of embedding, without a warning${note("cc")}`, () => {
    const file = join(folder, "decode.c");
    const main = `#include <stdio.h>
int main(void) {
    static uint8_t in[65536]; static float out[4096]; sb_embedding_t e;
    size_t n = fread(in, 1, sizeof in, stdin), dim = sb_embedding_decode(in, n, &e, out, 4096);
    if (dim == 0) return 1;
    printf("%lu %lld", (unsigned long)e.seq, (long long)e.from);
    for (size_t i = 0; i < dim; i++) printf(" %.9g", (double)out[i]);
    return 0;
}`;
    writeFileSync(file, `${snippet("c")}\n${main}\n`);
    execFileSync("cc", ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-o", join(folder, "decode"), file]);
    for (const payload of samples) check(execFileSync(join(folder, "decode"), { input: payload }).toString(), payload);
  });
});
