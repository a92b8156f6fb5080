import { access, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { recordKitchen } from "../../examples/gas-sensor/recording.js";
import { jsonLines, sensebind } from "./spawn.js";

let dir: string;
const file = (name: string) => join(dir, name);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sensebind-calibrate-"));
  await recordKitchen(file("kitchen.mcap"), { minutes: 5, seed: 1 });
}, 60_000);

const bind = (...args: string[]) =>
  sensebind(
    "calibrate",
    "gas",
    "--with",
    "camera",
    "--recording",
    file("kitchen.mcap"),
    "--tolerance",
    "1100ms",
    ...args,
  );

interface Report {
  readonly bundle: string;
  readonly recall: Record<"before" | "after" | "chance", { at1: number; at5: number } | null>;
  readonly report: string;
}

test("a sensor that the bundle knows nothing of is bound from a recording, and its bundle verifies and embeds", async () => {
  const out = file("gas");
  const { code, stdout, stderr } = await bind(
    "--out",
    out,
    "--scenes",
    "10",
    "--steps",
    "80",
    "--word",
    "frying",
    "--json",
  );
  expect(code, stderr).toBe(0);
  const [report] = jsonLines(stdout) as Report[];
  expect(report!.recall.before).toBeNull();
  expect(report!.recall.after!.at5).toBeGreaterThan(2 * report!.recall.chance!.at5);
  expect(await readFile(report!.report, "utf8")).toContain("gas bound to camera");
  await expect(access(`${out}.calibrating`)).rejects.toThrow();
  const verified = await sensebind("models", "verify", out);
  expect(verified.stdout).toMatch(/other\s+cosine 1\.0000/);
  const manifest = JSON.parse(await readFile(join(out, "manifest.json"), "utf8"));
  expect(manifest).toMatchObject({
    base: "nano",
    towers: { other: { preprocess: { kind: "series", channels: { length: 8 } } } },
  });

  const again = await bind("--out", out, "--scenes", "10", "--steps", "8");
  expect(again.code).not.toBe(0);
  expect(again.stderr).toMatch(/is there already/);
}, 60_000);

test("what is missing, unknown or too little is said, with what to do, and nothing is written", async () => {
  const cases: readonly (readonly [RegExp, readonly string[]])[] = [
    [/BAD_ARGUMENT: the recording .* has no sensor "gass"[\s\S]*Did you mean "gas"/, ["gass", "--with", "camera"]],
    [/BAD_ARGUMENT: gas is other, not a camera/, ["gas", "--with", "gas"]],
    [/CLOCKS_APART: the sensor's clock is up to 2s off/, ["gas", "--with", "camera", "--clock-error", "2s"]],
    [
      /TOO_LITTLE_VARIETY: not enough variety yet: \d+ of about 4000 distinct scenes/,
      ["gas", "--with", "camera", "--scenes", "4000"],
    ],
  ];
  for (const [message, args] of cases) {
    const { code, stderr } = await sensebind(
      "calibrate",
      ...args,
      "--recording",
      file("kitchen.mcap"),
      "--out",
      file("none"),
      ...(args.includes("--clock-error") ? [] : ["--tolerance", "1100ms"]),
    );
    expect(stderr).toMatch(message);
    expect(code).toBeGreaterThan(0);
    await expect(access(file("none"))).rejects.toThrow();
  }
  const bare = await sensebind("calibrate", "gas", "--with", "camera", "--out", file("none"));
  expect(bare.stderr).toMatch(/there is nothing to learn from[\s\S]*--recording/);
  await writeFile(file("pairs.csv"), "thermal,vision\nmissing.png,missing.jpg\n");
  const pairs = await sensebind("calibrate", "thermal", "--pairs", file("pairs.csv"), "--out", file("none"));
  expect(pairs.stderr).toMatch(/pairs\.csv, line 2: .*missing\.png/);
}, 60_000);
