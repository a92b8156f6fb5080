import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Modality } from "../../src/core/modality.js";
import { openBundle } from "../../src/encoder/bundle.js";
import { recordGolden } from "../../src/encoder/golden.js";
import { Manifest } from "../../src/encoder/manifest.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { spaceDims } from "./nano-space.js";

/*
 * Writes manifest.json and golden.json of the nano bundle from the facts in models/build/towers/, which the scripts that make and
 * measure the towers write, and from the files in the folder:
 *   npx tsx models/build/nano-manifest.ts [--bundle models/nano]
 * card.md and the manifest itself are not among the files that have a hash.
 */

const { values } = parseArgs({ options: { bundle: { type: "string", default: "models/nano" } } });
const dir = values.bundle;
const facts = "models/build/towers";
const documents = ["manifest.json", "card.md"];

async function towers(): Promise<Manifest["towers"]> {
  const order: readonly Modality[] = ["text", "vision", "audio", "depth", "thermal", "imu"];
  const found = order.filter((modality) => existsSync(join(facts, `${modality}.json`)));
  const read = await Promise.all(
    found.map(
      async (modality) => [modality, JSON.parse(await readFile(join(facts, `${modality}.json`), "utf8"))] as const,
    ),
  );
  return Object.fromEntries(read);
}

async function write(): Promise<void> {
  const names = (await readdir(dir)).filter((name) => !documents.includes(name)).sort();
  const files: Manifest["files"] = {};
  for (const name of names) {
    const bytes = await readFile(join(dir, name));
    files[name] = { sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length };
  }
  const manifest = {
    format: "sensebind.bundle/1",
    id: "nano",
    version: "1.0.0",
    title:
      "The embedded default: words, cameras, microphones, depth, thermal and inertial sensors in one space of 512 dimensions",
    licence: { spdx: "Apache-2.0", nonCommercial: false },
    dim: spaceDims,
    towers: await towers(),
    files,
  };
  Manifest.parse(manifest);
  await writeFile(join(dir, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

await write();
{
  await using runtime = await workerRuntime();
  await using bundle = await openBundle(dir, runtime);
  const { cases, ...golden } = await recordGolden(bundle);
  // Six digits are far finer than the tolerance, and a third of the size.
  const short = cases.map(({ vector, ...rest }) => ({ ...rest, vector: vector.map((x) => Number(x.toFixed(6))) }));
  await writeFile(join(dir, "golden.json"), `${JSON.stringify({ ...golden, cases: short })}\n`);
}
await write();
console.log(`${dir}: manifest.json and golden.json`);
