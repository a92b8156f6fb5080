import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { cosine, normalize } from "../../src/core/embedding.js";
import { decodeNpy } from "../../src/core/npy.js";
import { bundleFixture, dim, noise } from "../encoder/bundle-fixture.js";
import { jsonLines, main, sensebind, sensebindAt } from "./spawn.js";

let dir: string;
let bundle: string;
const file = (name: string) => join(dir, name);
const run = (...args: string[]) => sensebind(...args, "--bundle", bundle);

async function picture(name: string, [r, g, b]: readonly [number, number, number]): Promise<void> {
  await sharp({ create: { width: 20, height: 30, channels: 3, background: { r, g, b } } })
    .png()
    .toFile(file(name));
}

beforeAll(async () => {
  bundle = await bundleFixture();
  dir = await mkdtemp(join(tmpdir(), "sensebind-cli-"));
  await picture("red.png", [255, 0, 0]);
  await picture("green.png", [0, 255, 0]);
  await picture("blue.png", [0, 0, 255]);
  await writeFile(file("broken.png"), "no picture");
  const samples = noise(7, [40, 6]).data;
  const rows = Array.from({ length: 40 }, (_, t) => [t / 20, ...samples.subarray(t * 6, t * 6 + 6)].join(","));
  await writeFile(file("walk.csv"), `time,ax,ay,az,gx,gy,gz\r\n${rows.join("\r\n")}\r\n`);
});

const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

interface Line {
  readonly source: string;
  readonly modality: string;
  readonly space: string;
  readonly dim: number;
  readonly vector: number[];
}

describe("embed", () => {
  test("gives a JSON line a file, with a unit vector, its space and its dimension", async () => {
    const { code, stdout, stderr } = await run("embed", "vision", file("red.png"), file("green.png"), "--json");
    expect([code, stderr]).toEqual([0, ""]);
    const lines = jsonLines(stdout) as Line[];
    expect(lines.map(({ source }) => source)).toEqual([file("red.png"), file("green.png")]);
    for (const line of lines) {
      expect(line).toEqual({
        source: line.source,
        modality: "vision",
        space: expect.stringMatching(/^fixture:/),
        dim,
        vector: line.vector,
      });
      expect(Math.hypot(...line.vector)).toBeCloseTo(1, 6);
    }
  });

  test("writes float32 [n, dim] to --out, the same numbers as its lines", async () => {
    const out = file("v.npy");
    const { stdout } = await run("embed", "vision", file("red.png"), file("blue.png"), "--out", out, "--json");
    const { dims, data } = decodeNpy(await readFile(out));
    expect(dims).toEqual([2, dim]);
    expect([...data]).toEqual((jsonLines(stdout) as Line[]).flatMap(({ vector }) => vector.map(Math.fround)));
  });

  test("takes what preprocess gives, and gives what the file itself does", async () => {
    for (const [modality, name] of [
      ["vision", "red.png"],
      ["imu", "walk.csv"],
    ] as const) {
      const t = file(`${modality}.npy`);
      expect((await run("preprocess", modality, file(name), "--out", t)).code).toBe(0);
      const [fromTensor] = jsonLines((await run("embed", modality, "--tensor", t)).stdout) as Line[];
      const [fromFile] = jsonLines((await run("embed", modality, file(name))).stdout) as Line[];
      expect(fromTensor!.vector).toEqual(fromFile!.vector);
    }
    expect(decodeNpy(await readFile(file("vision.npy"))).dims).toEqual([1, 3, 16, 16]);
    expect(decodeNpy(await readFile(file("imu.npy"))).dims).toEqual([1, 2, 6, 20]);
  });

  test("--raw keeps the original model's length", async () => {
    const [unit] = jsonLines((await run("embed", "vision", file("red.png"))).stdout) as Line[];
    const [raw] = jsonLines((await run("embed", "vision", file("red.png"), "--raw")).stdout) as Line[];
    expect(Math.hypot(...raw!.vector)).toBeCloseTo(3, 5);
    expect(cosine(normalize(raw!.vector), normalize(unit!.vector))).toBeCloseTo(1, 6);
  });

  test("encodes words, several at a time, as text files and as tokens", async () => {
    await writeFile(file("words.txt"), "a photo of red\n");
    const lines = jsonLines(
      (await run("embed", "text", file("words.txt"), "--text", "red", "--text", "blue")).stdout,
    ) as Line[];
    expect(lines.map(({ source }) => source)).toEqual(["red", "blue", "a photo of red"]);
    const t = file("tokens.npy");
    await run("preprocess", "text", "--text", "blue", "--out", t);
    const [tokens] = jsonLines((await run("embed", "text", "--tensor", t)).stdout) as Line[];
    expect(tokens!.vector).toEqual(lines[1]!.vector);
  });

  test("takes as many files as a command line holds, and writes nothing outside", async () => {
    const home = await mkdtemp(join(tmpdir(), "sensebind-home-"));
    const many = Array.from({ length: 1500 }, () => file("red.png"));
    const { code, stdout } = await sensebindAt(home, "embed", "vision", ...many, "--bundle", bundle);
    expect(code).toBe(0);
    expect(jsonLines(stdout)).toHaveLength(1500);
    expect(await readdir(home, { recursive: true })).toEqual([]);
  });

  test("ends quietly when its reader goes away", async () => {
    const many = Array.from({ length: 300 }, () => file("red.png"));
    const child = spawn(process.execPath, [main, "embed", "vision", ...many, "--bundle", bundle]);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const [code, signal] = await once(child, "close");
    expect([code, signal, stderr]).toEqual([0, null, ""]);
  });

  test("reports a file that cannot be used, encodes the others and exits with 1", async () => {
    const { code, stdout, stderr } = await run("embed", "vision", file("broken.png"), file("red.png"), "--json");
    expect(code).toBe(1);
    expect(jsonLines(stdout)).toHaveLength(1);
    expect(stderr).toMatch(/^BAD_IMAGE: .*broken\.png.*\nhint: .+\n1 of 2 inputs could not be used\n$/);
  });

  test.runIf(hasFfmpeg)("a video is the mean of its pictures, one at every hop", async () => {
    const colours = ["red", "blue"].map((colour) => `color=${colour}:size=48x32:rate=10:duration=1`);
    const inputs = colours.flatMap((colour) => ["-f", "lavfi", "-i", colour]);
    const filter = ["-filter_complex", "[0][1]concat=n=2"];
    execFileSync("ffmpeg", ["-v", "error", "-y", ...inputs, ...filter, "-c:v", "ffv1", file("film.mkv")]);
    const names = ["film.mkv", "red.png", "blue.png"].map(file);
    const [film, red, blue] = (jsonLines((await run("embed", "vision", ...names)).stdout) as Line[]).map(
      (line) => line.vector,
    );
    const mean = normalize(red!.map((value, i) => value + blue![i]!));
    expect(cosine(normalize(film!), mean)).toBeGreaterThan(0.999);
    await writeFile(file("cut.mp4"), "no film");
    const { code, stderr } = await run("embed", "vision", file("cut.mp4"));
    expect([code, stderr.split(":")[0]]).toEqual([2, "BAD_IMAGE"]);
  });

  test("names the file whose window cannot be encoded, and encodes the others of its batch", async () => {
    const still = Array.from({ length: 20 }, (_, t) => `${t / 20},0,0,0,0,0,0`);
    await writeFile(file("still.csv"), `time,ax,ay,az,gx,gy,gz\n${still.join("\n")}\n`);
    const { code, stdout, stderr } = await run("embed", "imu", file("walk.csv"), file("still.csv"), file("walk.csv"));
    expect(code).toBe(1);
    expect(jsonLines(stdout)).toHaveLength(2);
    expect(stderr).toMatch(/^BAD_TENSOR: .*still\.csv: .* no direction\nhint: /);
  });

  test.each([
    ["a picture that is none", ["embed", "vision", "broken.png"], "BAD_IMAGE"],
    ["a file that is not there", ["embed", "vision", "missing.png"], "FILE_UNREADABLE"],
    ["a modality the bundle lacks", ["embed", "depth", "red.png"], "MODALITY_UNSUPPORTED"],
    ["a modality that does not exist", ["embed", "smell", "red.png"], "BAD_ARGUMENT"],
    ["nothing to embed", ["embed", "vision"], "BAD_ARGUMENT"],
    ["words for a camera", ["embed", "vision", "--text", "red"], "BAD_ARGUMENT"],
    ["a picture for a tensor", ["embed", "vision", "--tensor", "red.png"], "BAD_TENSOR"],
    ["a tensor of another modality", ["embed", "imu", "--tensor", "vision.npy"], "MODEL_MISMATCH"],
    ["a rate that is no number", ["embed", "imu", "walk.csv", "--rate", "fast"], "BAD_ARGUMENT"],
  ])("%s is bad input: one line with a code, exit 2, no stack", async (_, args, errorCode) => {
    const { code, stderr, stdout } = await run(...args.map((arg) => (/\.(png|npy|csv)$/.test(arg) ? file(arg) : arg)));
    expect(stdout).toBe("");
    expect(stderr).toMatch(new RegExp(`^${errorCode}: `));
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(code).toBe(2);
  });
});

describe("classify", () => {
  test("gives the word that fits, a score for each, and whether it is known at all", async () => {
    const { code, stdout } = await run(
      "classify",
      "vision",
      file("red.png"),
      file("blue.png"),
      "--labels",
      "red, green,blue",
      "--json",
    );
    expect(code).toBe(0);
    const lines = jsonLines(stdout) as {
      source: string;
      label: string;
      score: number;
      scores: Record<string, number>;
      known: boolean;
    }[];
    expect(lines.map(({ label }) => label)).toEqual(["red", "blue"]);
    for (const { label, score, scores, known } of lines) {
      expect(Object.keys(scores)).toEqual(["red", "green", "blue"]);
      expect(Object.values(scores).reduce((a, b) => a + b)).toBeCloseTo(1, 9);
      expect(scores[label]).toBe(score);
      expect(known).toBe(true);
    }
  });

  test("takes labels from a file with any line ends, and refuses none, both and doubles", async () => {
    await writeFile(file("labels.txt"), "\uFEFFred\r\n\r\nblue\r\n");
    const { stdout } = await run("classify", "vision", file("blue.png"), "--labels-file", file("labels.txt"), "--json");
    expect(jsonLines(stdout)).toMatchObject([{ label: "blue" }]);
    for (const labels of [
      [],
      ["--labels", "red,red"],
      ["--labels", " , "],
      ["--labels", "red", "--labels-file", file("labels.txt")],
    ]) {
      const { code, stderr } = await run("classify", "vision", file("red.png"), ...labels);
      expect([code, stderr.split(":")[0]]).toEqual([2, "BAD_ARGUMENT"]);
    }
  });
});

describe("eval", () => {
  const list = async (name: string, rows: string[]) => {
    await writeFile(file(name), `${rows.join("\r\n")}\r\n`);
    return file(name);
  };

  test("zero-shot reports accuracy, balanced accuracy and each class, on a CSV with quotes and CRLF", async () => {
    const csv = await list("list.csv", [
      "file,label",
      '"red.png",red',
      "red.png,red",
      "green.png,green",
      "blue.png,green",
    ]);
    const labels = await list("labels3.txt", ["red", "green", "blue"]);
    const { code, stdout } = await run("eval", "zero-shot", "vision", csv, "--labels-file", labels, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      accuracy: 0.75,
      balancedAccuracy: 0.75,
      n: 4,
      perClass: { red: { n: 2, accuracy: 1 }, green: { n: 2, accuracy: 0.5 } },
    });
  });

  test("a bad file in a list is counted, the rest is evaluated, and the exit code is 1", async () => {
    const csv = await list("list2.csv", ["file,label", "broken.png,red", "red.png,red", "missing.png,red"]);
    const labels = await list("labels3.txt", ["red", "green", "blue"]);
    const { code, stdout, stderr } = await run("eval", "zero-shot", "vision", csv, "--labels-file", labels, "--json");
    expect([code, JSON.parse(stdout).n]).toEqual([1, 1]);
    expect(stderr).toContain("2 of 3 inputs could not be used");
  });

  test("retrieval reports both directions under the modalities' names", async () => {
    const csv = await list("pairs.csv", ["vision,text", "red.png,red", "green.png,green", "blue.png,blue"]);
    const { code, stdout } = await run("eval", "retrieval", "vision", "text", csv, "--json");
    expect(code).toBe(0);
    const perfect = { "recall@1": 1, "recall@5": 1, "recall@10": 1, medianRank: 1, n: 3 };
    expect(JSON.parse(stdout)).toEqual({ "vision->text": perfect, "text->vision": perfect });
  });

  test("few-shot reports accuracy and spread for each number of shots, the same for the same seed", async () => {
    const rows: string[] = [];
    for (const [name, base] of [
      ["warm", [250, 20, 20]],
      ["cold", [20, 20, 250]],
    ] as const) {
      for (let i = 0; i < 4; i++) {
        await picture(`${name}${i}.png`, [base[0] - i, base[1] + i, base[2] - i]);
        rows.push(`${name}${i}.png,${name}`);
      }
    }
    const csv = await list("few.csv", ["file,label", ...rows]);
    const args = ["eval", "few-shot", "vision", csv, "--shots", "1,3", "--json"];
    const [first, second] = [await run(...args), await run(...args)];
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toEqual({ shots: { 1: { accuracy: 1, std: 0 }, 3: { accuracy: 1, std: 0 } } });
    expect(second.stdout).toBe(first.stdout);
    const tooMany = await run("eval", "few-shot", "vision", csv, "--shots", "4");
    expect([tooMany.code, tooMany.stderr.split(":")[0]]).toEqual([2, "BAD_ARGUMENT"]);
  });

  test.each([
    ["no such column", ["path,label", "red.png,red"], /no column "file".*path,label/],
    ["no rows", ["file,label"], /no rows/],
    ["a row too long", ["file,label", "red.png,red,1"], /not a CSV/],
    ["an open quote", ["file,label", '"red.png,red'], /not a CSV/],
    ["a label that is not offered", ["file,label", "red.png,crimson"], /"crimson"/],
  ])("a list with %s is BAD_ARGUMENT and says so", async (_, rows, what) => {
    const csv = await list("bad.csv", rows);
    const labels = await list("labels3.txt", ["red", "green", "blue"]);
    const { code, stderr } = await run("eval", "zero-shot", "vision", csv, "--labels-file", labels);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^BAD_ARGUMENT: /);
    expect(stderr).toMatch(what);
  });
});
