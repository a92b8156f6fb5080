import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { designed } from "../../src/align/net/architecture-of.js";
import { chosenTraining, readTrainings, targetsIn } from "../../src/cli/calibrate/chosen-training.js";
import { isSenseError } from "../../src/core/errors.js";
import { Trainings } from "../../src/core/training.js";
import { readManifest } from "../../src/encoder/manifest-file.js";
import { loadModel } from "../../src/onnx/file.js";

const nano = await readManifest("models/nano");
const told = (error: unknown): string => (isSenseError(error) ? `${error.code}: ${error.message}\n${error.hint}` : "");
const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return told(error);
  }
  return "nothing was refused";
};
const fileOf = async (text: string): Promise<string> => {
  const path = join(await mkdtemp(join(tmpdir(), "sensebind-trainings-")), "training.yaml");
  await writeFile(path, text);
  return path;
};

describe("what is learned", () => {
  const training = Trainings.parse({ thermal: { lora: { rank: 2 } }, other: { encoder: { kind: "series" } } });
  const manifest = { ...nano, training };
  const file = { path: "t.yaml", trainings: Trainings.parse({ thermal: { head: { hidden: 9 } } }) };

  test("is what the command line says, then the manifest, then what is usual", () => {
    expect(chosenTraining("thermal", { manifest, train: ["head"] })).toEqual(["head"]);
    expect(chosenTraining("thermal", { manifest, file })).toEqual({ head: { hidden: 9 } });
    expect(chosenTraining("thermal", { manifest })).toEqual(training.thermal);
    expect(chosenTraining("other", { manifest })).toEqual(training.other);
    expect(chosenTraining("thermal", { manifest: nano })).toBe("head");
    expect(chosenTraining("other", { manifest: nano })).toBe("encoder");
  });

  test("is refused where it has no encoder to go on from, or a file says nothing of it", () => {
    expect(refusal(() => chosenTraining("other", { manifest: nano, train: ["head"] }))).toMatch(
      /^MODALITY_UNSUPPORTED: bundle nano has no other encoder to train a head on\n.*encoder/,
    );
    const bare = { ...nano, training: Trainings.parse({ other: { lora: {}, encoder: { kind: "series" } } }) };
    expect(refusal(() => chosenTraining("other", { manifest: bare }))).toMatch(/to train low-rank updates on/);
    expect(refusal(() => chosenTraining("depth", { manifest, file }))).toMatch(
      /^BAD_ARGUMENT: t\.yaml says nothing of depth\nIt has thermal; add "depth"/,
    );
  });
});

test("words are one or several of those there are", () => {
  expect(targetsIn("lora")).toEqual(["lora"]);
  expect(targetsIn("head, lora")).toEqual(["head", "lora"]);
  expect(refusal(() => targetsIn("lore"))).toMatch(/^BAD_ARGUMENT: "lore" is nothing that .*\nDid you mean lora\?/);
  expect(refusal(() => targetsIn(""))).toMatch(/^BAD_ARGUMENT: "" is nothing that .*\nGive head, lora, encoder/);
});

describe("a file of trainings", () => {
  test("is YAML, and so is what a manifest holds", async () => {
    expect(await readTrainings(await fileOf("imu:\n  encoder: { kind: series, width: 32 }\n"))).toMatchObject({
      imu: { encoder: { kind: "series", width: 32, heads: 4 } },
    });
    const held = { thermal: { lora: { rank: 3, matrices: "all" }, lr: 0.01 } };
    expect(await readTrainings(await fileOf(JSON.stringify(held)))).toEqual(held);
  });

  test("is what the guide says", async () => {
    const guide = await readFile("docs/calibrate.md", "utf8");
    const section = guide.slice(guide.indexOf("## What is trained"), guide.indexOf("## How pairs are made"));
    const [, example] = /```yaml\n([\s\S]*?)```/.exec(section)!;
    const trainings = await readTrainings(await fileOf(example!));
    const dim = 512;
    expect(designed(trainings.other!, { dims: [8, 20], dim }).text).toMatch(/^a transformer over 8 channels/);
    const graphs = [await loadModel("models/nano/thermal.onnx")];
    expect(designed(trainings.thermal!, { dims: [1, 224, 224], dim, graphs }).text).toMatch(
      /rank 4.* and a head of 96/,
    );
  });

  test.each([
    ["thermal: {", /^BAD_ARGUMENT: .*training\.yaml is not YAML/],
    ["thermal: { encoder: { kind: patches, width: 65 } }", /thermal\.encoder\.width: 65 .* 4 heads; take 64 or 68/],
    ["", /the document: /],
    ["head: {}", /Unrecognized key: "head"/],
  ])("%s is refused with its field", async (text, message) => {
    const error = await readTrainings(await fileOf(text)).catch((cause: unknown) => cause);
    expect(told(error)).toMatch(message);
    expect(told(error)).toMatch(/sensebind schema manifest/);
  });
});
