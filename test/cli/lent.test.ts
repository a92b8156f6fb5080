import { lstat, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { chosenTraining } from "../../src/cli/calibrate/chosen-training.js";
import { lendCamera } from "../../src/cli/calibrate/lent.js";
import { cosine } from "../../src/core/embedding.js";
import { isSenseError } from "../../src/core/errors.js";
import type { Modality } from "../../src/core/modality.js";
import { seeded } from "../../src/core/random.js";
import type { Frame } from "../../src/core/reading.js";
import type { DepthRecipe, ThermalRecipe, VisionRecipe } from "../../src/core/recipe.js";
import { micros } from "../../src/core/time.js";
import { openBundle } from "../../src/encoder/bundle.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { depthTensor } from "../../src/window/depth.js";
import { thermalTensor } from "../../src/window/thermal.js";
import { visionTensor } from "../../src/window/vision.js";
import { boxes } from "../support/boxes.js";
import { withoutThermal } from "../support/without-thermal.js";
import { jsonLines, sensebind } from "./spawn.js";

const frame = (data: Frame["data"], form: Pick<Frame, "modality" | "format">): Frame => ({
  ...{ kind: "frame", time: micros(0), width: 224, height: 224, data },
  ...form,
});

test("the camera's encoder sees in a thermal or a depth map the picture that it shows", async () => {
  await using runtime = await workerRuntime({ workers: 1, threads: 1 });
  await using nano = await openBundle("models/nano", runtime);
  const grey = boxes(3, 224);
  const vision = nano.tower("vision").preprocess as VisionRecipe;
  const pixels = visionTensor(frame(grey, { modality: "vision", format: "gray8" }), vision);
  const seen = await nano.encode("vision", { pixels });

  await using warm = await lendCamera(nano, "thermal", runtime);
  const { preprocess } = warm.tower("thermal");
  const map = thermalTensor(frame(grey, { modality: "thermal", format: "gray8" }), preprocess as ThermalRecipe);
  const felt = await warm.encode("thermal", { map });
  expect(cosine(felt.vector, seen.vector)).toBeGreaterThan(0.9999);

  // As disparity: from 10 m, black, to 0.3 m, white.
  await using near = await lendCamera(nano, "depth", runtime);
  const metres = Float32Array.from(grey, (level) => 1 / (0.1 + (level / 255) * (1 / 0.3 - 0.1)));
  const recipe = near.tower("depth").preprocess as DepthRecipe;
  const depth = depthTensor(frame(metres, { modality: "depth", format: "float32" }), recipe);
  const [deep, again] = await near.encodeAll("depth", [
    { map: depth },
    { map: { ...depth, data: depth.data.slice() } },
  ]);
  expect(cosine(deep!.vector, seen.vector)).toBeGreaterThan(0.999);
  expect(cosine(again!.vector, deep!.vector)).toBeCloseTo(1, 6);
  // What has no reading counts as far away.
  const holes = metres.map((value) => (value > 9.9 ? Number.NaN : value));
  const holed = depthTensor(frame(holes, { modality: "depth", format: "float32" }), recipe);
  const { vector } = await near.encode("depth", { map: holed });
  expect(cosine(vector, deep!.vector)).toBeGreaterThan(0.999);
});

test("the camera's encoder is what a sensor of maps gets where the bundle has none for it", async () => {
  const towers = JSON.parse(await readFile("models/nano/manifest.json", "utf8"));
  const { thermal: _, ...others } = towers.towers;
  const bare = { ...towers, towers: others };
  expect(chosenTraining("thermal", { manifest: bare })).toBe("camera");
  expect(chosenTraining("thermal", { manifest: towers })).toBe("head");
  expect(chosenTraining("other", { manifest: bare })).toBe("encoder");
  expect(chosenTraining("thermal", { manifest: bare, train: ["camera", "head"] })).toEqual(["camera", "head"]);
  const refused = (modality: Modality, train: readonly ("camera" | "lora")[]): string => {
    try {
      chosenTraining(modality, { manifest: bare, train });
    } catch (error) {
      return isSenseError(error) ? `${error.code}: ${error.message}` : "";
    }
    return "nothing was refused";
  };
  expect(refused("imu", ["camera"])).toBe(
    "MODALITY_UNSUPPORTED: the camera's encoder looks at maps, and imu gives none",
  );
  expect(refused("depth", ["camera", "lora"])).toBe("BAD_ARGUMENT: the camera's encoder stays as it is");
});

test("a thermal camera is bound through the camera's own encoder, and the bundle verifies and embeds", async () => {
  const dir = await mkdtemp(join(tmpdir(), "sensebind-lent-test-"));
  const at = (name: string): string => join(dir, name);
  const rows = ["thermal,vision"];
  for (let i = 0; i < 50; i++) {
    const scene = boxes(i, 96);
    // The thermal camera sees the same scene with less contrast, and the other way round.
    const sides = { [`t${i}.png`]: scene.map((level) => 200 - level / 2), [`c${i}.png`]: scene };
    for (const [name, data] of Object.entries(sides)) {
      await sharp(data, { raw: { width: 96, height: 96, channels: 1 } })
        .png()
        .toFile(at(name));
    }
    rows.push(`t${i}.png,c${i}.png`);
  }
  await writeFile(at("pairs.csv"), `${rows.join("\n")}\n`);
  const learn = ["--train", "camera", "--scenes", "10", "--steps", "40", "--json"];
  const bind = (bundle: string, out: string) =>
    sensebind("calibrate", "thermal", "--pairs", at("pairs.csv"), "--bundle", bundle, "--out", at(out), ...learn);
  // What nano has for thermal cameras finds every one of these: no better one can be learned.
  const refused = await bind("nano", "warm");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("before it was 100.0 % and 100.0 %")]);
  const { code, stdout, stderr } = await bind(await withoutThermal(at("bare")), "warm");
  expect(code, stderr).toBe(0);
  const [report] = jsonLines(stdout) as { trained: string; recall: { before: null; after: { at1: number } } }[];
  expect(report!.trained).toBe("the vector of the camera's own encoder, scaled and moved");
  expect(report!.recall.before).toBeNull();
  expect(report!.recall.after.at1).toBeGreaterThan(0.5);
  const { towers, training, base } = JSON.parse(await readFile(at("warm/manifest.json"), "utf8"));
  expect(towers.thermal.graphs).toEqual([
    expect.stringMatching(/^picture-[0-9a-f]{8}\.onnx$/),
    "vision.onnx",
    "thermal-head-2.onnx",
  ]);
  expect([training.thermal.camera, base]).toEqual([{}, "nano"]);
  // Files that were links in the old bundle are the files themselves in the new one.
  expect((await lstat(at("warm/text.onnx"))).isFile()).toBe(true);
  const verified = await sensebind("models", "verify", at("warm"));
  expect(verified.stdout).toMatch(/thermal\s+cosine 1\.0000/);
  const embedded = await sensebind("embed", "thermal", at("t1.png"), "--bundle", at("warm"), "--json");
  expect(jsonLines(embedded.stdout)).toMatchObject([{ modality: "thermal", dim: 512 }]);

  // The bundle says how it was made, so that the same is learned again, anew from the camera's encoder; in place of one gone bad here.
  const head = at("warm/thermal-head-2.onnx.data");
  const random = seeded(1);
  const { length } = await readFile(head);
  await writeFile(
    head,
    Float32Array.from({ length: length / 4 }, () => random() - 0.5),
  );
  const again = await sensebind(
    ...["calibrate", "thermal", "--pairs", at("pairs.csv"), "--bundle", at("warm"), "--out", at("warmer")],
    ...["--scenes", "10", "--steps", "16", "--json"],
  );
  expect(again.code, again.stderr).toBe(0);
  const renewed = JSON.parse(await readFile(at("warmer/manifest.json"), "utf8"));
  expect(renewed.towers.thermal.graphs).toEqual(towers.thermal.graphs);
  expect((await sensebind("models", "verify", at("warmer"))).code).toBe(0);
}, 120_000);
