import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { cosine, normalize } from "../../src/core/embedding.js";
import { tensor } from "../../src/core/tensor.js";
import { openBundle } from "../../src/encoder/bundle.js";
import { checkGolden, recordGolden } from "../../src/encoder/golden.js";
import type { Runtime } from "../../src/encoder/runtime.js";
import { verifyBundle } from "../../src/encoder/verify.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { saveModel } from "../../src/onnx/file.js";
import { graph } from "../../src/onnx/graph.js";
import { bundleFixture, dim, noise, writeManifest } from "./bundle-fixture.js";

const runtime = await workerRuntime();
const dir = await bundleFixture();
const bundle = await openBundle(dir, runtime);
afterAll(async () => {
  await bundle[Symbol.asyncDispose]();
  await runtime[Symbol.asyncDispose]();
});

/** What the fixture's imu tower computes, in plain arithmetic. */
function imuVector(motion: Float32Array): Float32Array {
  const w = noise(3, [120, dim]).data;
  return Float32Array.from({ length: dim }, (_, j) => motion.reduce((sum, x, i) => sum + x * w[i * dim + j]!, 0));
}

const clips = (...seeds: number[]) =>
  tensor([seeds.length, 6, 20], Float32Array.from(seeds.flatMap((seed) => [...noise(seed, [6, 20]).data])));

test("a window of several clips is the mean of their unit vectors, made a unit vector", async () => {
  const { vector } = await bundle.encode("imu", { motion: clips(10, 11, 12) });
  const units = [10, 11, 12].map((seed) => normalize(imuVector(noise(seed, [6, 20]).data)));
  const mean = normalize(Float32Array.from({ length: dim }, (_, i) => units.reduce((sum, unit) => sum + unit[i]!, 0)));
  expect(cosine(vector, mean)).toBeCloseTo(1, 6);
  expect(Math.hypot(...vector)).toBeCloseTo(1, 6);
});

test("raw is the mean of unit vector times rawScale and keeps its length", async () => {
  const pixels = () => noise(5, [2, 3, 16, 16]);
  const { vector, raw } = await bundle.encode("vision", { pixels: pixels() });
  const halves = [0, 1].map((row) => ({
    pixels: tensor([1, 3, 16, 16], pixels().data.slice(row * 768, (row + 1) * 768)),
  }));
  const [a, b] = await bundle.encodeAll("vision", halves);
  raw.forEach((value, i) => {
    expect(value).toBeCloseTo((3 * (a!.vector[i]! + b!.vector[i]!)) / 2, 5);
  });
  expect(cosine(normalize(raw), vector)).toBeCloseTo(1, 6);
});

test("windows encoded together get what they get alone, whatever their numbers of clips", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 5,
      }),
      async (windows) => {
        const together = await bundle.encodeAll(
          "imu",
          windows.map((seeds) => ({ motion: clips(...seeds) })),
        );
        for (const [i, seeds] of windows.entries()) {
          const alone = await bundle.encode("imu", { motion: clips(...seeds) });
          expect(cosine(together[i]!.vector, alone.vector)).toBeCloseTo(1, 6);
        }
      },
    ),
    { numRuns: 20 },
  );
});

test("more clips than fit one run are encoded in several", async () => {
  const pixels = noise(6, [70, 3, 16, 16]);
  const last = { pixels: tensor([1, 3, 16, 16], pixels.data.slice(-768)) };
  const all = await bundle.encodeAll("vision", [{ pixels: tensor([69, 3, 16, 16], pixels.data.slice(0, -768)) }, last]);
  const alone = await bundle.encode("vision", { pixels: tensor([1, 3, 16, 16], pixels.data.slice(-768)) });
  expect(cosine(all[1]!.vector, alone.vector)).toBeCloseTo(1, 6);
});

test("a modality without a tower is MODALITY_UNSUPPORTED with a hint that lists those there are", async () => {
  await expect(bundle.encode("depth", {})).rejects.toMatchObject({
    code: "MODALITY_UNSUPPORTED",
    hint: expect.stringContaining("text, vision, thermal, imu, audio"),
  });
});

test("a sensor's own encoder is used for that sensor alone, and named among the files", async () => {
  const folder = await bundleFixture();
  const g = graph();
  const x = g.input("heat", "float32", ["n", 1, 16, 16]);
  g.output("embedding", g.op("MatMul", [g.op("Flatten", [x]), g.weight("w", noise(77, [256, dim]))]));
  await saveModel(g, join(folder, "barn.onnx"));
  const { towers } = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
  const barn = { ...towers.thermal, modality: "thermal", graphs: ["barn.onnx"], logitScale: 33 };
  await writeManifest(folder, { sensors: { barn } });
  await using opened = await openBundle(folder, runtime);
  const heat = () => ({ heat: tensor([1, 1, 16, 16], noise(5, [1, 16, 16]).data.slice()) });
  const usual = (await opened.encode("thermal", heat())).vector;
  const own = (await opened.forSensor("barn").encode("thermal", heat())).vector;
  expect((await opened.forSensor("yard").encode("thermal", heat())).vector).toEqual(usual);
  expect(cosine(own, usual)).toBeLessThan(0.99);
  expect([opened.forSensor("barn").tower("thermal").logitScale, opened.tower("thermal").logitScale]).toEqual([33, 10]);
  expect((await opened.forSensor("barn").encodeText(["red"], "vision"))[0]!.vector).toEqual(
    (await opened.encodeText(["red"], "vision"))[0]!.vector,
  );
  expect(opened.space).toBe(bundle.space);
  const golden = await recordGolden(opened);
  const [its] = golden.cases.filter(({ sensor }) => sensor === "barn");
  expect(its).toMatchObject({ modality: "thermal" });
  expect((await checkGolden(opened, { ...golden, cases: [its!] }))[0]!.ok).toBe(true);
  // The same input through the encoder of its modality is something else.
  const { sensor: _, ...usualCase } = its!;
  expect((await checkGolden(opened, { ...golden, cases: [usualCase] }))[0]!.ok).toBe(false);
  await rm(join(folder, "barn.onnx"));
  await writeManifest(folder, { sensors: { barn } });
  await expect(openBundle(folder, runtime)).rejects.toThrow(/sensors\.barn uses barn\.onnx/);
});

test("a window of another shape is MODEL_MISMATCH, one without a direction BAD_TENSOR", async () => {
  const wrong = bundle.encode("imu", { motion: noise(1, [1, 3, 20]) });
  await expect(wrong).rejects.toMatchObject({ code: "MODEL_MISMATCH", message: expect.stringContaining("[1, 3, 20]") });
  const nothing = bundle.encode("imu", { motion: tensor([1, 6, 20], new Float32Array(120)) });
  await expect(nothing).rejects.toMatchObject({ code: "BAD_TENSOR" });
});

describe("words", () => {
  /** A runtime that counts how often each graph is loaded and how many are held. */
  function counting() {
    const loaded: string[] = [];
    const held = new Set<object>();
    const load: Runtime["load"] = async (path, options) => {
      loaded.push(basename(path));
      const session = await runtime.load(path, options);
      held.add(session);
      const dispose = session[Symbol.asyncDispose].bind(session);
      session[Symbol.asyncDispose] = async () => {
        held.delete(session);
        await dispose();
      };
      return session;
    };
    const spy: Runtime = { name: "counting", providers: ["cpu"], load, [Symbol.asyncDispose]: async () => {} };
    return { runtime: spy, loaded, held };
  }

  test("are put into the sentences of the modality and averaged", async () => {
    const [red] = await bundle.encodeText(["red"], "vision");
    expect(red!.prompts.map(({ prompt }) => prompt)).toEqual(["red", "a photo of red."]);
    const mean = red!.prompts[0]!.vector.map((value, i) => value + red!.prompts[1]!.vector[i]!);
    expect(cosine(red!.vector, normalize(mean))).toBeCloseTo(1, 6);
    const [plain] = await bundle.encodeText(["red"]);
    expect(plain!.prompts).toHaveLength(1);
  });

  test("land where pictures of what they say do", async () => {
    const red = tensor(
      [1, 3, 16, 16],
      Float32Array.from({ length: 768 }, (_, i) => (i < 256 ? 2 : -2)),
    );
    const picture = await bundle.encode("vision", { pixels: red });
    const [same, other] = await bundle.encodeText(["red", "blue"], "vision");
    expect(cosine(picture.vector, same!.vector)).toBeGreaterThan(0.99);
    expect(cosine(picture.vector, other!.vector)).toBeLessThan(0.9);
  });

  test("with characters that mean something in a replacement are taken as they are", async () => {
    const [odd] = await bundle.encodeText(["$& red $1"], "vision");
    expect(odd!.prompts[1]!.prompt).toBe("a photo of $& red $1.");
  });

  test("leave no text tower in memory, and are encoded once if there is a cache", async () => {
    const { runtime, loaded, held } = counting();
    const cacheDir = await mkdtemp(join(tmpdir(), "sensebind-words-"));
    await using first = await openBundle(dir, runtime, { cacheDir });
    const made = await first.encodeText(["red", "green"], "vision");
    expect(loaded).toEqual(["text.onnx"]);
    expect(held.size).toBe(0);
    await using second = await openBundle(dir, runtime, { cacheDir });
    const found = await second.encodeText(["green", "red"], "vision");
    expect(loaded).toHaveLength(1);
    expect(cosine(found[1]!.vector, made[0]!.vector)).toBeCloseTo(1, 6);
    await second.encodeText(["blue", "red"], "vision");
    expect(loaded).toHaveLength(2);
  });

  test("whose stored vector is damaged are encoded again", async () => {
    const cacheDir = await mkdtemp(join(tmpdir(), "sensebind-words-"));
    await using opened = await openBundle(dir, runtime, { cacheDir });
    const [made] = await opened.encodeText(["red"]);
    const [folder] = await readdir(cacheDir);
    for (const file of await readdir(join(cacheDir, folder!))) await writeFile(join(cacheDir, folder!, file), "x");
    const [again] = await opened.encodeText(["red"]);
    expect(again!.vector).toEqual(made!.vector);
  });
});

describe("the space of a bundle", () => {
  const spaceOf = async (changes: object, edit = async (_: string) => {}) => {
    const folder = await bundleFixture();
    await edit(folder);
    await writeManifest(folder, changes);
    await using opened = await openBundle(folder, runtime);
    return opened.space;
  };

  test("is its id and 12 digits, the same for the same files", async () => {
    expect(bundle.space).toMatch(/^fixture:[0-9a-f]{12}$/);
    expect(await spaceOf({})).toBe(bundle.space);
  });

  test("stays when another tower is swapped, also under another id that names its base", async () => {
    const swap = (folder: string) => appendFile(join(folder, "imu.onnx"), "x");
    expect(await spaceOf({}, swap)).toBe(bundle.space);
    expect(await spaceOf({ id: "mine", base: "fixture" }, swap)).toBe(bundle.space);
  });

  test("depends on the weights that the vision tower names, not on those of another tower", async () => {
    const add = (name: string, text: string) => (folder: string) => writeFile(join(folder, name), text);
    const { towers } = JSON.parse(await readFile(join(dir, "manifest.json"), "utf8"));
    const shared = { towers: { ...towers, vision: { ...towers.vision, weights: ["backbone.bin"] } } };
    const one = await spaceOf(shared, add("backbone.bin", "1"));
    expect(await spaceOf(shared, add("backbone.bin", "2"))).not.toBe(one);
    expect(await spaceOf({}, add("imu.onnx.data", "1"))).toBe(bundle.space);
    expect(await spaceOf({}, add("vision.head.onnx.data", "1"))).not.toBe(bundle.space);
    expect(await spaceOf({}, add("card.md", "1"))).toBe(bundle.space);
  });

  test("is another one when the vision tower is", async () => {
    const swap = (folder: string) => appendFile(join(folder, "vision.head.onnx"), "x");
    expect(await spaceOf({}, swap)).not.toBe(bundle.space);
  });
});

describe("a damaged bundle is BAD_BUNDLE and says what is wrong:", () => {
  const refused = async (edit: (folder: string) => Promise<void>, what: RegExp) => {
    const folder = await bundleFixture();
    await edit(folder);
    await expect(openBundle(folder, runtime)).rejects.toMatchObject({
      code: "BAD_BUNDLE",
      message: expect.stringMatching(what),
    });
  };

  test("no manifest", () => refused((folder) => rm(join(folder, "manifest.json")), /holds no manifest/));
  test("a manifest that is not JSON", () =>
    refused((folder) => writeFile(join(folder, "manifest.json"), "{"), /not JSON/));
  test("a field of the wrong form", () => refused((folder) => writeManifest(folder, { dim: "8" }), /dim: .*number/));
  test("a field nobody knows", () => refused((folder) => writeManifest(folder, { dims: 8 }), /dims/));
  test("a file that is missing", () => refused((folder) => rm(join(folder, "imu.onnx")), /imu\.onnx is missing/));
  test("a file cut short", () => refused((folder) => writeFile(join(folder, "imu.onnx"), ""), /imu\.onnx has 0 bytes/));
  test("a file outside the folder", () =>
    refused(
      (folder) => writeManifest(folder, { towers: {}, files: { "../x": { sha256: "0".repeat(64), bytes: 1 } } }),
      /outside/,
    ));
  test("a tower whose graph is not listed", () =>
    refused((folder) => writeManifest(folder, { files: {} }), /towers\.text uses text\.onnx/));
});

describe("verify", () => {
  const golden = async (folder: string) => {
    await using opened = await openBundle(folder, runtime);
    await writeFile(join(folder, "golden.json"), JSON.stringify(await recordGolden(opened)));
    await writeManifest(folder);
  };
  const verify = async (folder: string) => {
    await using opened = await openBundle(folder, runtime);
    return verifyBundle(opened);
  };

  test("a bundle as it was made is good, every tower tried", async () => {
    const folder = await bundleFixture();
    await golden(folder);
    const result = await verify(folder);
    expect(result.ok).toBe(true);
    expect(new Set(result.golden.map(({ modality }) => modality))).toEqual(
      new Set(["text", "vision", "thermal", "imu", "audio"]),
    );
    for (const { cosine } of result.golden) expect(cosine).toBeCloseTo(1, 5);
  });

  test("one flipped byte of a weight is found by its hash", async () => {
    const folder = await bundleFixture();
    await golden(folder);
    const path = join(folder, "imu.onnx");
    const bytes = await readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(path, bytes);
    const result = await verify(folder);
    expect(result.ok).toBe(false);
    expect(result.files.filter(({ ok }) => !ok)).toEqual([{ file: "imu.onnx", ok: false }]);
  });

  test("a tower that computes something else than its golden vectors is found", async () => {
    const folder = await bundleFixture();
    await golden(folder);
    const text = await readFile(join(folder, "golden.json"), "utf8");
    const cases = JSON.parse(text);
    cases.cases[0].vector.reverse();
    await writeFile(join(folder, "golden.json"), JSON.stringify(cases));
    await writeManifest(folder);
    const result = await verify(folder);
    expect(result.ok).toBe(false);
    expect(result.golden.filter(({ ok }) => !ok)).toHaveLength(1);
  });
});
