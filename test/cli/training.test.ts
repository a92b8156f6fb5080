import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { seeded } from "../../src/core/random.js";
import { readManifest } from "../../src/encoder/manifest-file.js";
import { spaceOf } from "../../src/encoder/space-id.js";
import { bundleFixture } from "../encoder/bundle-fixture.js";
import { jsonLines, sensebind } from "./spawn.js";

let dir: string;
let bundle: string;
const file = (name: string) => join(dir, name);

const side = 16;

/** A picture of four grey quarters, which a camera, a thermal imager and four of an inertial sensor's channels tell alike. */
async function picture(name: string, quarters: readonly number[], channels: 1 | 3): Promise<void> {
  const data = new Uint8Array(side * side * channels);
  for (let i = 0; i < data.length; i++) {
    const at = Math.floor(i / channels);
    const [y, x] = [Math.floor(at / side), at % side];
    data[i] = Math.round(255 * quarters[2 * Math.floor((2 * y) / side) + Math.floor((2 * x) / side)]!);
  }
  await sharp(data, { raw: { width: side, height: side, channels } })
    .png()
    .toFile(file(name));
}

const pairCount = 60;

beforeAll(async () => {
  bundle = await bundleFixture();
  dir = await mkdtemp(join(tmpdir(), "sensebind-training-"));
  const random = seeded(3);
  const rows = await Promise.all(
    Array.from({ length: pairCount }, async (_, i) => {
      const quarters = Array.from({ length: 4 }, random);
      await picture(`seen-${i}.png`, quarters, 3);
      await picture(`felt-${i}.png`, quarters, 1);
      const samples = Array.from({ length: 20 }, (_, t) =>
        [t / 20, ...quarters.map((q) => 9.8 + 4 * q + 0.1 * random()), random(), random()].join(","),
      );
      await writeFile(file(`moved-${i}.csv`), `time,ax,ay,az,gx,gy,gz\n${samples.join("\n")}\n`);
      return `felt-${i}.png,moved-${i}.csv,seen-${i}.png`;
    }),
  );
  await writeFile(file("pairs.csv"), `thermal,imu,vision\n${rows.join("\n")}\n`);
}, 60_000);

const calibrate = (sensor: string, out: string, ...args: string[]) =>
  sensebind(
    ...["calibrate", sensor, "--pairs", file("pairs.csv"), "--out", file(out), "--scenes", "5", "--json"],
    ...(args.includes("--bundle") ? args : [...args, "--bundle", bundle]),
  );

const manifestOf = async (folder: string) => JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));

/** A copy of the bundle whose manifest says how it is trained. */
async function copyWith(name: string, training: object): Promise<string> {
  await cp(bundle, file(name), { recursive: true });
  await writeFile(file(`${name}/manifest.json`), JSON.stringify({ ...(await manifestOf(bundle)), training }));
  return file(name);
}

interface Report {
  readonly trained: string;
  readonly recall: Record<"before" | "after", { at1: number; at5: number } | null>;
}

const reportOf = (stdout: string): Report => jsonLines(stdout)[0] as Report;

describe("what is trained", () => {
  test("is what --training says, together, and stands in the manifest, from which the next calibration begins", async () => {
    await writeFile(
      file("thermal.yaml"),
      "thermal:\n  lora: { rank: 3 }\n  head: { hidden: 12 }\n  lr: 0.01\n  steps: 96\n  queue: 8\n",
    );
    const { code, stdout, stderr } = await calibrate("thermal", "both", "--training", file("thermal.yaml"));
    expect(code, stderr).toBe(0);
    const trained = "low-rank updates (rank 3) of 1 of the frozen encoder's matrices and a head of 12 neurons";
    expect(reportOf(stdout)).toMatchObject({ trained, recall: { before: { at1: expect.any(Number) } } });
    expect(stderr).toMatch(/step 96 of 96/);
    const manifest = await manifestOf(file("both"));
    const training = {
      ...{ lora: { rank: 3, alpha: 6, matrices: "all" }, head: { hidden: 12 } },
      ...{ lr: 0.01, decay: 0.05, steps: 96, queue: 8 },
    };
    expect(manifest.training).toEqual({ thermal: training });
    expect(manifest.towers.thermal.preprocess).toMatchObject((await manifestOf(bundle)).towers.thermal.preprocess);
    expect(await readFile(file("both/card.md"), "utf8")).toContain("a head of 12 neurons");
    // Vectors that were stored before are compared with the new ones.
    expect(spaceOf(await readManifest(file("both")))).toBe(spaceOf(await readManifest(bundle)));
    expect((await sensebind("models", "verify", file("both"))).code).toBe(0);

    const again = await calibrate("thermal", "again", "--bundle", file("both"), "--steps", "8");
    // It may be no better than the first, but it is the same that is learned.
    if (again.code === 0) expect(reportOf(again.stdout).trained).toBe(trained);
    else expect(again.stderr).toMatch(/NOT_BETTER/);
    expect(again.stderr).toMatch(/step 8 of 8/);
  }, 60_000);

  test("is what the bundle's own manifest says: an encoder from nothing, though the bundle has one", async () => {
    const encoder = { kind: "series", width: 12, depth: 1, heads: 3, patch: 5 };
    const own = await copyWith("own", { imu: { encoder, head: { hidden: 16 }, lr: 0.01 } });
    const { code, stdout, stderr } = await calibrate("imu", "moved", "--bundle", own, "--steps", "160");
    expect(code, stderr).toBe(0);
    expect(reportOf(stdout).trained).toBe(
      "a transformer over 6 channels, 1 block 12 wide, 5 samples a token, from nothing, with a head of 16 neurons",
    );
    // The encoder that was there takes the same readings on another scale.
    expect(reportOf(stdout).recall.before).toEqual({ at1: expect.any(Number), at5: expect.any(Number) });
    const { training, towers } = await manifestOf(file("moved"));
    expect(training.imu).toMatchObject({ encoder: { ...encoder, biasKv: false }, head: { hidden: 16 } });
    // What the encoder takes is at mean 0 and deviation 1, and the recipe says how.
    expect(towers.imu.preprocess.mean[0]).toBeGreaterThan(9.8);
    expect(towers.imu.preprocess.mean[4]).toBeLessThan(1);
  }, 60_000);

  test("is what --train says where it is given, several at once too", async () => {
    const own = await copyWith("overruled", { thermal: { head: { hidden: 5 } } });
    const { stdout, stderr } = await calibrate("thermal", "words", "--bundle", own, ...["--train", "lora,head"]);
    const said = `${stdout}${stderr}`;
    expect(said).toMatch(/low-rank updates \(rank 8\) of 1 .* and a head of 64 neurons|NOT_BETTER/);
    expect(said).not.toMatch(/a head of 5 neurons/);
  }, 60_000);
});

test.concurrent.each<[string, object, readonly string[], RegExp]>([
  ["both at once", { thermal: { head: {} } }, ["--train", "head"], /--train and --training were both given/],
  [
    "an encoder of series for pictures",
    { thermal: { encoder: { kind: "series" } } },
    [],
    /BAD_ARGUMENT: an encoder of the kind series takes channels x samples, and .* maps 1 x 112 x 112\nhint: .*patches/,
  ],
  [
    "patches that do not divide",
    { thermal: { encoder: { kind: "patches", patch: [15, 16] } } },
    [],
    /15 x 16 do not divide 112 x 112: 112 is no multiple of 15\nhint: .*14, 16/,
  ],
])(
  "%s is refused with what to do, and nothing is written",
  async (name, training, args, message) => {
    const path = file(`${name}.yaml`);
    await writeFile(path, JSON.stringify(training));
    const { code, stderr } = await calibrate("thermal", name, ...args, "--training", path);
    expect(stderr).toMatch(message);
    // Before any file of a pair is read.
    expect(stderr).not.toMatch(/looked at/);
    expect(code).toBeGreaterThan(0);
    await expect(readFile(file(`${name}/manifest.json`))).rejects.toThrow();
  },
  30_000,
);

test.concurrent("a manifest whose training cannot be is refused by its field when the bundle is opened", async () => {
  const own = await copyWith("broken", { imu: { lora: { rank: 0 } } });
  const { stderr } = await calibrate("thermal", "unopened", "--bundle", own);
  expect(stderr).toMatch(/BAD_BUNDLE: .*training\.imu\.lora\.rank: 0 is no whole number from 1 to 256/);
}, 30_000);

test.concurrent("low-rank updates of an int8 bundle are refused by the operator, with what to do instead", async () => {
  const quantised = await sensebind("models", "quantize", bundle, "--out", file("int8"), "--precision", "int8");
  expect(quantised.code, quantised.stderr).toBe(0);
  const { stderr } = await calibrate("thermal", "whole", "--bundle", file("int8"), "--train", "lora");
  expect(stderr).toMatch(/BAD_MODEL: the encoder computes in int8 \(DynamicQuantizeLinear.*\nhint: .*--train head/);
}, 30_000);
