import { access, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
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

/** A configuration whose two sensors play the recording. */
async function configured(name: string, pace = "fast"): Promise<string> {
  const sensor = (id: string, modality: string): string =>
    `  ${id}: { modality: ${modality}, device: replay, options: { path: ${file("kitchen.mcap")}, sensor: ${id}, pace: ${pace} }${modality === "other" ? ", bind: camera" : ""} }`;
  await writeFile(file(name), `node: kitchen\nsensors:\n${sensor("gas", "other")}\n${sensor("camera", "vision")}\n`);
  return file(name);
}

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
    [/BAD_ARGUMENT: gas is other, not a camera/, ["camera", "--with", "gas"]],
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
      ...["--tolerance", "1100ms"],
    );
    expect(stderr).toMatch(message);
    expect(code).toBeGreaterThan(0);
    await expect(access(file("none"))).rejects.toThrow();
  }
  await writeFile(file("pairs.csv"), "thermal,vision\nmissing.png,missing.jpg\n");
  const pairs = await sensebind("calibrate", "thermal", "--pairs", file("pairs.csv"), "--out", file("none"));
  expect(pairs.stderr).toMatch(/pairs\.csv, line 2: .*missing\.png/);
}, 60_000);

test("what was mistyped is said at once, before anything is opened, recorded or made", async () => {
  const config = await configured("mistyped.yaml");
  const live = ["gas", "--with", "camera", "--config", config, "--out", file("never")];
  const recording = ["gas", "--with", "camera", "--recording", file("no.mcap"), "--out", file("never")];
  const cases: readonly (readonly [RegExp, readonly string[]])[] = [
    [/--out is missing/, ["gas", "--with", "camera", "--config", config]],
    [/there is nothing to learn from[\s\S]*--recording/, ["gas", "--with", "camera", "--out", file("never")]],
    [/--with is missing/, ["gas", "--recording", file("kitchen.mcap"), "--out", file("never")]],
    [/gas cannot be bound to itself/, ["gas", "--with", "gas", "--config", config, "--out", file("never")]],
    [/the configuration has no sensor "gass"[\s\S]*Did you mean "gas"/, ["gass", ...live.slice(1)]],
    [/gas is other, not a camera/, ["camera", "--with", "gas", "--config", config, "--out", file("never")]],
    [/BAD_DURATION: "soon" is not a duration/, [...live, "--duration", "soon"]],
    [/"0m" is no time at all/, [...live, "--duration", "0m"]],
    [/BAD_DURATION: "-5s"/, [...live, "--tolerance=-5s"]],
    [/"0s" is no time at all/, [...live, "--window", "0s"]],
    [/"2.5" is no whole number above 0/, [...live, "--scenes", "2.5"]],
    [/"150" is no share above 0 and up to 1/, [...live, "--share", "150"]],
    [/unknown option '--tolerence'[\s\S]*--tolerance/, [...live, "--tolerence", "1s"]],
    [/CLOCKS_APART: the sensor's clock is up to 2s off/, [...live, "--clock-error", "2s"]],
    [/no other encoder to train low-rank updates on[\s\S]*--train encoder/, [...live, "--train", "lora"]],
    [/--duration says how long to record, but --recording was given/, [...recording, "--duration", "5m"]],
    [/--pairs and --recording were both given/, [...recording, "--pairs", "pairs.csv"]],
    [/there is no folder .*missing/, [...live.slice(0, -1), file("missing/never")]],
    [/FILE_UNWRITABLE: .*never.calibrating cannot be made/, [...live.slice(0, -1), "/proc/never"]],
    [/is there already and not empty/, [...live.slice(0, -1), config]],
    [/FILE_UNREADABLE/, recording],
    [
      /with --pairs the sensor is named by its modality, not "gas"/,
      ["gas", "--pairs", "p.csv", "--out", file("never")],
    ],
  ];
  for (let i = 0; i < cases.length; i += 4) {
    const some = cases.slice(i, i + 4);
    const found = await Promise.all(some.map(([, args]) => sensebind("calibrate", ...args, "--json")));
    for (const [j, { code, stdout, stderr }] of found.entries()) {
      expect(stderr).toMatch(some[j]![0]);
      expect(code).toBeGreaterThan(0);
      expect(jsonLines(stdout)).toMatchObject([{ error: { code: /^[A-Z_]+/.exec(stderr)![0] } }]);
    }
  }
  const left = (await readdir(dir)).filter((name) => name.startsWith("never"));
  expect(left).toEqual([]);
}, 60_000);
