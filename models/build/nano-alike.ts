import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "csv-parse/sync";
import { cosine, type UnitVector } from "../../src/core/embedding.js";
import type { Modality } from "../../src/core/modality.js";
import { openBundle } from "../../src/encoder/bundle.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { readFileReading } from "../../src/pipeline/read-file.js";
import { fileClips } from "../../src/window/preprocess.js";

/*
 * What the cosine of one recording with another of something else is, by their modalities: the towers' field `alike`, which
 * tells what an example must exceed to be more than nothing.
 *   npx tsx models/build/nano-alike.ts --data <folder of the packs> [--bundle models/nano]
 */

const { values } = parseArgs({
  options: { data: { type: "string" }, bundle: { type: "string", default: "models/nano" } },
});
if (values.data === undefined) throw new Error("give --data");
const data = values.data;
const most = 120;
const accelerometer = 0.03830722;
const gyroscope = 0.001065264;
const scale = [accelerometer, accelerometer, accelerometer, gyroscope, gyroscope, gyroscope];

interface Pack {
  readonly modality: Exclude<Modality, "text">;
  readonly list: string;
  readonly file: string;
  /** Column that says what it is of; two files of one thing are not unrelated. */
  readonly of?: string;
  readonly rate?: number;
  readonly scale?: readonly number[];
}

const packs: readonly Pack[] = [
  { modality: "vision", list: "photos/photos.csv", file: "file", of: "label" },
  { modality: "audio", list: "audio/animals.csv", file: "file", of: "label" },
  { modality: "depth", list: "depth/frames.csv", file: "depth" },
  { modality: "thermal", list: "thermal/pairs.csv", file: "thermal" },
  { modality: "imu", list: "imu/recordings.csv", file: "file", of: "activity", rate: 200, scale },
];

interface Seen {
  readonly vector: UnitVector;
  readonly of: string | undefined;
}

await using runtime = await workerRuntime();
await using bundle = await openBundle(values.bundle, runtime);

async function encoded({ modality, list, file, of, ...way }: Pack): Promise<readonly Seen[]> {
  const path = join(data, list);
  const all: Record<string, string>[] = parse(await readFile(path), { columns: true, bom: true });
  const rows = all.filter((_, i) => i % Math.ceil(all.length / most) === 0);
  const { preprocess: recipe } = bundle.tower(modality);
  const seen: Seen[] = [];
  for (const row of rows) {
    const reading = await readFileReading(join(path, "..", row[file]!), { modality, recipe, ...way });
    const { vector } = await bundle.encode(modality, fileClips(recipe, reading));
    seen.push({ vector, of: of && row[of] });
  }
  return seen;
}

const seen = new Map<Modality, readonly Seen[]>();
for (const pack of packs) seen.set(pack.modality, await encoded(pack));

function level(these: readonly Seen[], those: readonly Seen[]) {
  const cosines: number[] = [];
  for (const a of these) {
    for (const b of those) {
      if (a !== b && (a.of === undefined || a.of !== b.of)) cosines.push(cosine(a.vector, b.vector));
    }
  }
  const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
  const variance = cosines.reduce((sum, value) => sum + (value - mean) ** 2, 0) / cosines.length;
  return { mean: Number(mean.toFixed(4)), deviation: Number(Math.sqrt(variance).toFixed(4)) };
}

/** Into the facts that nano-manifest.ts makes the manifest of, and into the manifest that is there. */
const manifestPath = join(values.bundle, "manifest.json");
const manifest = JSON.parse(await readFile(manifestPath, "utf8"));
for (const [modality, these] of seen) {
  const alike = Object.fromEntries([...seen].map(([other, those]) => [other, level(these, those)]));
  console.log(modality, JSON.stringify(alike));
  manifest.towers[modality].alike = alike;
  const factsPath = join("models/build/towers", `${modality}.json`);
  const facts = JSON.parse(await readFile(factsPath, "utf8"));
  await writeFile(factsPath, `${JSON.stringify({ ...facts, alike }, null, 2)}\n`);
}
await writeFile(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
