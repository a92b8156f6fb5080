import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { bundleInUse } from "../../src/cli/calibrate/installed.js";
import { openLiveCalibrations } from "../../src/cli/calibrate/live.js";
import { parseConfig } from "../../src/config.js";
import { type Embedding, normalize } from "../../src/core/embedding.js";
import { silent } from "../../src/core/log.js";
import { gaussian, seeded } from "../../src/core/random.js";
import type { VisionRecipe } from "../../src/core/recipe.js";
import { type Micros, micros, s } from "../../src/core/time.js";
import { type Node, openNode } from "../../src/pipeline/node.js";
import type { Calibration } from "../../src/publish/messages.js";
import { visionTensor } from "../../src/window/vision.js";
import { boxes } from "../support/boxes.js";
import { withoutThermal } from "../support/without-thermal.js";

const config = parseConfig(
  `
sensors:
  camera: { device: files, modality: vision }
  thermal: { device: files, modality: thermal }
  yard: { device: files, modality: thermal }
concepts: { dog: a dog }
`,
  "c.yaml",
);
const folders = { bundle: "models/nano", state: await mkdtemp(join(tmpdir(), "sensebind-live-")) };

let node: Node;
beforeAll(async () => {
  node = await openNode(config, folders);
});
afterAll(() => node[Symbol.asyncDispose]());

const dim = 512;

/** A camera that sees another scene every two seconds, and a sensor whose encoder has the dimensions in another order. */
function* scenes(count: number): Generator<Embedding> {
  const random = seeded(5);
  for (let i = 0; i < count; i++) {
    const seen = normalize(Array.from({ length: dim }, () => gaussian(random)));
    const felt = normalize(Array.from(seen, (_, j) => seen[(j + 7) % dim]! + 0.01 * gaussian(random)));
    const [from, to] = [micros(i * 2e6), micros(i * 2e6 + 1e6)];
    const rest = { from, to, seq: i, space: node.bundle.space };
    yield { ...rest, sensor: "camera", modality: "vision", vector: seen } as Embedding;
    yield { ...rest, sensor: "thermal", modality: "thermal", vector: felt } as Embedding;
  }
}

async function opened(told: Calibration[]) {
  return openLiveCalibrations({
    ...{ config, node, folders, log: silent },
    settings: {
      concepts: config.concepts,
      exchange: (next, id) => node.bundle.exchange(next, { id, modality: config.sensors[id]!.modality }),
    },
    clock: { now: () => 1e15 as Micros },
    signal: new AbortController().signal,
    tell: (_, calibration) => told.push(calibration),
  });
}

test("a running node binds a sensor to its camera, puts the head into the flow, and takes it back", async () => {
  const told: Calibration[] = [];
  await using calibrations = await opened(told);
  const before = node.bundle.dir;
  await calibrations.start({ sensor: "thermal", with: "camera", duration: s(500) }, new AbortController().signal);
  await expect(
    calibrations.start({ sensor: "thermal", with: "camera" }, new AbortController().signal),
  ).rejects.toMatchObject({
    code: "COMMAND_BUSY",
  });
  await expect(calibrations.undo("thermal")).rejects.toMatchObject({ code: "COMMAND_BUSY" });
  for (const embedding of scenes(300)) calibrations.embedding(embedding);
  await vi.waitFor(() => expect(told.at(-1)?.state).toMatch(/installed|failed/), { timeout: 50_000, interval: 50 });
  expect(told.at(-1)?.error).toBeUndefined();
  expect(told.at(-1)).toMatchObject({ state: "installed", progress: 1, with: "camera" });
  expect(told.map(({ state }) => state)).toContain("training");
  const { recall } = told.at(-1)!;
  expect(recall!.before).toBeLessThan(0.1);
  expect(recall!.after).toBeGreaterThan(recall!.before!);
  expect(node.bundle.dir).not.toBe(before);
  expect(node.bundle.forSensor("thermal").tower("thermal").graphs.length).toBe(2);
  // What another sensor of the modality has stays as it was.
  expect(node.bundle.forSensor("yard").tower("thermal").graphs.length).toBe(1);
  expect(await bundleInUse(folders.state, "models/nano")).toBe(node.bundle.dir);
  // The status of what was calibrated survives a restart.
  await using again = await opened([]);
  expect(again.status().thermal?.state).toBe("installed");

  await calibrations.undo("thermal");
  expect(node.bundle.forSensor("thermal").tower("thermal").graphs.length).toBe(1);
  expect(await bundleInUse(folders.state, "models/nano")).toBe("models/nano");
  await expect(calibrations.undo("thermal")).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
}, 60_000);

test("what cannot be bound is refused or told, and the bundle stays as it is", async () => {
  const told: Calibration[] = [];
  await using calibrations = await opened(told);
  const { signal } = new AbortController();
  await expect(calibrations.start({ sensor: "thermal", with: "thermal" }, signal)).rejects.toThrow(/no camera/);
  await calibrations.start({ sensor: "thermal", with: "camera", duration: s(60) }, signal);
  for (const embedding of scenes(50)) calibrations.embedding(embedding);
  await vi.waitFor(() => expect(told.at(-1)?.state).toBe("failed"), { timeout: 20_000, interval: 20 });
  expect(told.at(-1)?.error).toMatchObject({
    code: "TOO_LITTLE_VARIETY",
    message: expect.stringContaining("not enough variety yet"),
  });
  expect(node.bundle.dir.endsWith("models/nano")).toBe(true);

  await calibrations.start({ sensor: "thermal", with: "camera" }, signal);
  await calibrations.stop("thermal");
  expect(told.at(-1)?.state).toBe("stopped");
  await using again = await opened([]);
  expect(again.status().thermal?.state).not.toBe("collecting");
});

test("a node that was cut off while it watched begins anew by itself", async () => {
  {
    await using calibrations = await opened([]);
    await calibrations.start({ sensor: "thermal", with: "camera", duration: s(60) }, new AbortController().signal);
  }
  const told: Calibration[] = [];
  await using again = await opened(told);
  expect(told).toMatchObject([{ state: "collecting", with: "camera" }]);
  for (const embedding of scenes(50)) again.embedding(embedding);
  await vi.waitFor(() => expect(told.at(-1)?.state).toBe("failed"), { timeout: 20_000, interval: 20 });
  await using after = await opened([]);
  expect(after.status().thermal?.state).not.toBe("collecting");
});

test("a camera that was covered is named, though its dark pictures differ", async () => {
  const told: Calibration[] = [];
  await using calibrations = await opened(told);
  await calibrations.start({ sensor: "thermal", with: "camera", duration: s(200) }, new AbortController().signal);
  for (const embedding of scenes(120)) {
    calibrations.embedding(embedding, { coverage: 1, faults: embedding.sensor === "camera" ? ["dark"] : [] });
  }
  await vi.waitFor(() => expect(told.at(-1)?.state).toBe("failed"), { timeout: 20_000, interval: 20 });
  expect(told.at(-1)?.error).toMatchObject({ code: "BAD_PAIRS", message: expect.stringContaining("camera") });
});

test("a calibration that was cut off three times is given up: it may be what brings the node down", async () => {
  {
    await using calibrations = await opened([]);
    await calibrations.start({ sensor: "thermal", with: "camera", duration: s(60) }, new AbortController().signal);
  }
  const begun = async () => {
    const told: Calibration[] = [];
    await using _ = await opened(told);
    return told.map(({ state }) => state);
  };
  expect([await begun(), await begun(), await begun(), await begun()]).toEqual([
    ["collecting"],
    ["collecting"],
    [],
    [],
  ]);
});

test("what is stopped while it learns is not installed", async () => {
  const told: Calibration[] = [];
  await using calibrations = await opened(told);
  const before = node.bundle.dir;
  await calibrations.start({ sensor: "thermal", with: "camera", duration: s(500) }, new AbortController().signal);
  for (const embedding of scenes(300)) calibrations.embedding(embedding);
  await vi.waitFor(() => expect(told.at(-1)?.state).toBe("training"), { timeout: 20_000, interval: 5 });
  await calibrations.stop("thermal");
  expect(told.at(-1)?.state).toBe("stopped");
  expect(told.map(({ state }) => state)).not.toContain("failed");
  expect(node.bundle.dir).toBe(before);
  await calibrations.start({ sensor: "thermal", with: "camera" }, new AbortController().signal);
  await calibrations.stop("thermal");
});

test("a thermal camera without an encoder is bound through the camera's own, which looks at its maps", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sensebind-live-lent-"));
  const bare = { bundle: await withoutThermal(join(folder, "bare")), state: join(folder, "state") };
  const own = parseConfig(
    `
bundle: ${bare.bundle}
sensors:
  camera: { device: files, modality: vision }
  heat: { device: files, modality: thermal, bind: camera }
`,
    "c.yaml",
  );
  await using blank = await openNode(own, bare);
  const told: Calibration[] = [];
  await using calibrations = await openLiveCalibrations({
    ...{ config: own, node: blank, folders: bare, log: silent, clock: { now: () => 1e15 as Micros } },
    settings: { concepts: {}, exchange: (next, id) => blank.bundle.exchange(next, { id, modality: "thermal" }) },
    signal: new AbortController().signal,
    tell: (_, calibration) => told.push(calibration),
  });
  expect(calibrations.status().heat?.state).toBe("unbound");
  await calibrations.start({ sensor: "heat", with: "camera", duration: s(118) }, new AbortController().signal);
  const vision = blank.bundle.tower("vision").preprocess as VisionRecipe;
  for (let i = 0; i < 60; i++) {
    const scene = boxes(i, 96);
    const [from, to] = [micros(i * 2e6), micros(i * 2e6 + 1e6)];
    const picture = { kind: "frame", time: from, width: 96, height: 96 } as const;
    const pixels = visionTensor({ ...picture, modality: "vision", format: "gray8", data: scene }, vision);
    const { vector } = await blank.bundle.encode("vision", { pixels });
    const span = { from, to, seq: i };
    calibrations.embedding({ ...span, sensor: "camera", modality: "vision", space: blank.bundle.space, vector });
    const warm = Uint8Array.from(scene, (level) => 200 - level / 2);
    calibrations.window({
      ...{ ...span, kind: "frames", sensor: "heat", modality: "thermal", quality: { coverage: 1 } },
      frames: [{ ...picture, modality: "thermal", format: "gray8", data: warm }],
    });
  }
  await vi.waitFor(() => expect(told.at(-1)?.state).toMatch(/installed|failed/), { timeout: 50_000, interval: 50 });
  expect(told.at(-1)?.error).toBeUndefined();
  expect(told.at(-1)!.recall!.after).toBeGreaterThan(0.5);
  const { graphs } = blank.bundle.tower("thermal");
  expect(graphs).toEqual([expect.stringMatching(/^picture-/), "vision.onnx", "thermal-head-2.onnx"]);
}, 90_000);
