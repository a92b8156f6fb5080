import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyModels } from "../encoder/import/tiny-models.js";
import { jsonLines, sensebind } from "./spawn.js";

const [tiny] = tinyModels();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sensebind-models-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("models import makes a bundle for each precision, and shows the licence", async () => {
  const out = join(folder, "tiny");
  const flags = [
    "--config",
    tiny!.config,
    "--modalities",
    "text,imu",
    "--precision",
    "fp32,int8",
    "--out",
    out,
    "--json",
  ];
  const { code, stdout, stderr } = await sensebind("models", "import", tiny!.checkpoint, ...flags);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/CC BY-NC-SA 4\.0/);
  expect(jsonLines(stdout)).toMatchObject([
    { dir: out, precision: "fp32", id: "tiny", modalities: ["text", "imu"] },
    { dir: `${out}-int8`, precision: "int8", id: "tiny-int8", modalities: ["text", "imu"] },
  ]);
  for (const dir of [out, `${out}-int8`]) expect((await sensebind("models", "verify", dir)).code).toBe(0);

  await rm(`${out}-int8`, { recursive: true });
  const again = await sensebind("models", "import", tiny!.checkpoint, ...flags);
  expect(again.code, "a run that ended before its second precision can be run again").toBe(0);
  expect(existsSync(join(`${out}-int8`, "manifest.json"))).toBe(true);
});

test("models quantize reports the cosine and the time of every tower", async () => {
  const source = join(folder, "source");
  const flags = ["--config", tiny!.config, "--modalities", "text,imu", "--out", source];
  await sensebind("models", "import", tiny!.checkpoint, ...flags);
  const out = join(folder, "half");
  const { code, stdout, stderr } = await sensebind(
    "models",
    "quantize",
    source,
    "--precision",
    "fp16",
    "--out",
    out,
    "--json",
  );
  expect(code, stderr).toBe(0);
  const { towers } = JSON.parse(stdout) as { towers: { modality: string; cosine: { least: number }; after: number }[] };
  expect(towers.map(({ modality }) => modality)).toEqual(["text", "imu"]);
  for (const { cosine, after } of towers) {
    expect(cosine.least).toBeGreaterThan(0.9999);
    expect(after).toBeGreaterThan(0);
  }
});

test("a checkpoint that is refused ends with code 2, one line, and no folder", async () => {
  const path = join(folder, "bad.pth");
  await writeFile(path, (await readFile(tiny!.checkpoint)).subarray(0, 100_000));
  const out = join(folder, "bad");
  const { code, stdout, stderr } = await sensebind("models", "import", path, "--out", out, "--json");
  expect(code).toBe(2);
  expect(stderr).toMatch(/^BAD_CHECKPOINT: .*\nhint: /);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "BAD_CHECKPOINT" } });
  expect(existsSync(out) || existsSync(`${out}.part`)).toBe(false);
});

test("a model of other sizes than imagebind_huge needs its config", async () => {
  const { code, stderr } = await sensebind("models", "import", tiny!.checkpoint, "--out", join(folder, "unknown"));
  expect(code).toBe(2);
  expect(stderr).toMatch(/--config config\.json/);
});

test("models pull asks for the acceptance of a non-commercial licence before it downloads anything", async () => {
  const { code, stderr } = await sensebind("models", "pull", "imagebind-huge", "--out", join(folder, "huge"));
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/^LICENCE_NOT_ACCEPTED: .*CC-BY-NC-SA-4\.0.*\nhint: .*--accept-licence/);
  expect(existsSync(join(folder, "huge.download"))).toBe(false);
});
