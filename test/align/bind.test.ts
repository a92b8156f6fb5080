import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BindOptions, bindSensor, checkFloor } from "../../src/align/bind.js";
import type { Sizes } from "../../src/align/fit.js";
import { head, seriesTransformer } from "../../src/align/net/architectures.js";
import type { Pair, Split } from "../../src/align/pairs/pair.js";
import { checkpointFile } from "../../src/align/train/checkpoint.js";
import { normalize } from "../../src/core/embedding.js";
import { isSenseError } from "../../src/core/errors.js";
import { gaussian, seeded } from "../../src/core/random.js";
import { micros, s } from "../../src/core/time.js";
import type { Runtime } from "../../src/encoder/runtime.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await workerRuntime({ workers: 1, threads: 1 });
});
afterAll(() => runtime[Symbol.asyncDispose]());

const [dim, width] = [16, 24];

/** Pairs in which the sensor feels what the camera sees through a fixed mixing matrix, with some noise. */
function pairs(count: number, seed: number, deaf = false): Pair[] {
  const mixing = seeded(99);
  const matrix = Array.from({ length: width }, () => Array.from({ length: dim }, () => gaussian(mixing)));
  const random = seeded(seed);
  return Array.from({ length: count }, (_, i) => {
    const anchor = normalize(Array.from({ length: dim }, () => gaussian(random)));
    const felt = matrix.map((row) => {
      const signal = row.reduce((sum, value, j) => sum + value * anchor[j]!, 0);
      return (deaf ? 0 : signal) + 0.1 * gaussian(random);
    });
    const sensor = { dims: [1, width], data: Float32Array.from(felt) };
    return { time: micros(i * 1e6), sensor, anchor, scene: i, visit: i };
  });
}

const split = (deaf = false): Split => ({ train: pairs(120, 1, deaf), heldOut: pairs(40, 2, deaf) });
const options: BindOptions = {
  architecture: head({ dim }),
  steps: 160,
  batch: 40,
  optimizer: { lr: 0.01, decay: 0.01 },
};
const folder = () => mkdtemp(join(tmpdir(), "sensebind-bind-"));
const now = () => 0;

describe("binding a sensor", () => {
  test("finds held-out camera frames that chance would not", async () => {
    const result = await bindSensor(split(), options, { engine: runtime, folder: await folder(), now });
    expect(result.recall.at1).toBeGreaterThan(0.9);
    expect(result.looks.at(-1)!.loss).toBeLessThan(result.looks[0]!.loss);
    expect(() =>
      checkFloor(
        result.recall,
        undefined,
        split().heldOut.map(({ scene }) => scene),
      ),
    ).not.toThrow();
  });

  test("gives the same weights for the same pairs and seed, with either loss", async () => {
    for (const loss of ["infonce", "sigmoid"] as const) {
      const once = await bindSensor(
        split(),
        { ...options, loss, steps: 24 },
        { engine: runtime, folder: await folder(), now },
      );
      const twice = await bindSensor(
        split(),
        { ...options, loss, steps: 24 },
        { engine: runtime, folder: await folder(), now },
      );
      expect(twice.parameters).toEqual(once.parameters);
    }
  });

  test("learns a series of channels with a transformer from nothing", async () => {
    const series = (all: readonly Pair[]) =>
      all.map((pair) => ({ ...pair, sensor: { dims: [1, 4, width / 4], data: pair.sensor.data } }));
    const { train, heldOut } = split();
    const architecture = seriesTransformer({ dim, width: 16, depth: 1, heads: 2, biasKv: true, patch: 2 });
    const given = { ...options, architecture, steps: 240, optimizer: { lr: 3e-3 } };
    const result = await bindSensor({ train: series(train), heldOut: series(heldOut) }, given, {
      engine: runtime,
      folder: await folder(),
      now,
    });
    expect(result.recall.at5).toBeGreaterThan(0.5);
  });

  test("a sensor that feels nothing of what the camera sees is refused with both figures", async () => {
    const deaf = split(true);
    const result = await bindSensor(deaf, { ...options, steps: 40 }, { engine: runtime, folder: await folder(), now });
    const scenes = deaf.heldOut.map(({ scene }) => scene);
    try {
      checkFloor(result.recall, undefined, scenes);
      expect.unreachable();
    } catch (error) {
      expect(isSenseError(error, "NOT_BETTER") && error.message).toMatch(
        /guessing gives 12\.5 %: nothing was installed/,
      );
    }
    expect(() => checkFloor({ at1: 0.5, at5: 0.9 }, { at1: 0.6, at5: 0.9 }, scenes)).toThrow(/before it was 60\.0 %/);
  });

  test("numbers that are none end it with a reason", async () => {
    const { train, heldOut } = split();
    const spoilt = train.map((pair) => ({
      ...pair,
      sensor: { ...pair.sensor, data: pair.sensor.data.map(() => Number.NaN) },
    }));
    const bound = bindSensor({ train: spoilt, heldOut }, options, { engine: runtime, folder: await folder(), now });
    await expect(bound).rejects.toThrow(/numbers that are none/);
  });

  test("it takes no longer than it may, and what it has by then", async () => {
    let clock = 0;
    const parts = { engine: runtime, folder: await folder(), now: () => (clock += 1000) };
    const result = await bindSensor(split(), { ...options, time: s(3) }, parts);
    expect(result.looks.at(-1)!.step).toBeLessThan(40);
    expect(result.parameters.length).toBeGreaterThan(0);
  });

  test("with little memory it learns from smaller batches, as well", async () => {
    const found: Sizes[] = [];
    const little = { ...options, memory: 72.4e6, onSizes: (sizes: Sizes) => found.push(sizes) };
    const result = await bindSensor(split(), little, { engine: runtime, folder: await folder(), now });
    expect(found[0]!.batch).toBeLessThan(options.batch!);
    expect(found[0]!.batch * found[0]!.accumulate).toBeGreaterThanOrEqual(options.batch!);
    expect(result.recall.at1).toBeGreaterThan(0.9);
    const none = bindSensor(split(), { ...options, memory: 70e6 }, { engine: runtime, folder: await folder(), now });
    await expect(none).rejects.toThrow(/learning takes at least/);
  });

  test("it stops when told to", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    const bound = bindSensor(split(), { ...options, signal }, { engine: runtime, folder: await folder(), now });
    await expect(bound).rejects.toThrow("enough");
  });
});

describe("a checkpoint", () => {
  test("takes a training up where it was cut off, and ends where an unbroken one ends", async () => {
    const path = join(await folder(), "checkpoint");
    const stop = new AbortController();
    let seen = 0;
    const cut = bindSensor(
      split(),
      { ...options, signal: stop.signal, onProgress: () => ++seen === 2 && stop.abort(new Error("power loss")) },
      { engine: runtime, folder: await folder(), now, checkpoint: checkpointFile(path, "key") },
    );
    await expect(cut).rejects.toThrow("power loss");
    const steps: number[] = [];
    const result = await bindSensor(
      split(),
      { ...options, onProgress: ({ step }) => steps.push(step) },
      { engine: runtime, folder: await folder(), now, checkpoint: checkpointFile(path, "key") },
    );
    expect(steps[0]).toBe(24);
    expect(result.looks.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, i) => 8 * (i + 1)));
    expect(result.recall.at1).toBeGreaterThan(0.9);
  });

  test("of other pairs, damaged or cut at any byte is not used", async () => {
    const path = join(await folder(), "checkpoint");
    const kept = checkpointFile(path, "key");
    await bindSensor(
      split(),
      { ...options, steps: 8 },
      { engine: runtime, folder: await folder(), now, checkpoint: kept },
    );
    expect((await kept.load())?.training.taken).toBe(8);
    expect(await checkpointFile(path, "another").load()).toBeUndefined();
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at += 97) {
      await writeFile(path, whole.subarray(0, at));
      expect(await kept.load()).toBeUndefined();
    }
  });

  test("that cannot be written says so and leaves the last one", async () => {
    const nowhere = checkpointFile(join(await folder(), "missing", "checkpoint"), "key");
    const bound = bindSensor(
      split(),
      { ...options, steps: 8 },
      { engine: runtime, folder: await folder(), now, checkpoint: nowhere },
    );
    await expect(bound).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  });
});
