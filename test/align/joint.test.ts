import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { head } from "../../src/align/net/architectures.js";
import { gelu, linear } from "../../src/align/net/layers.js";
import type { Architecture, Parameter } from "../../src/align/net/net.js";
import { adamW } from "../../src/align/train/adamw.js";
import type { Engine } from "../../src/align/train/engine.js";
import { JointTrainer } from "../../src/align/train/joint.js";
import type { JointOptions, Moment, PairKind, Tower } from "../../src/align/train/pair-kind.js";
import { normalize } from "../../src/core/embedding.js";
import { isSenseError } from "../../src/core/errors.js";
import { gaussian, seeded } from "../../src/core/random.js";
import type { Runtime } from "../../src/encoder/runtime.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { mean, normalizeRows, reshape } from "../../src/onnx/arithmetic.js";
import type { Value } from "../../src/onnx/value.js";
import { distance, goldenJson, goldenTensor, hasGolden } from "../support/golden.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await workerRuntime({ workers: 1, threads: 1 });
});
afterAll(() => runtime[Symbol.asyncDispose]());

const folder = () => mkdtemp(join(tmpdir(), "sensebind-joint-"));
const opened = async <N extends string>(options: JointOptions<N>, engine: Engine = runtime): Promise<JointTrainer<N>> =>
  new JointTrainer(options, { engine, folder: await folder() });

describe("a joint training of PyTorch, whose batches have one to four kinds of pair", () => {
  const Layout = z.array(z.tuple([z.string(), z.array(z.int())]));
  const Run = z.object({
    kinds: z.array(
      z.object({
        between: z.tuple([z.string(), z.string()]),
        loss: z.enum(["infonce", "sigmoid"]).optional(),
        queue: z.int().optional(),
        same: z.number().optional(),
        weight: z.number().optional(),
      }),
    ),
    scale: z.enum(["own", "shared"]),
    frozen: z.array(z.string()),
    optimizer: z.object({
      lr: z.number(),
      betas: z.tuple([z.number(), z.number()]),
      epsilon: z.number(),
      decay: z.number(),
    }),
    schedule: z.object({ warmup: z.number(), total: z.number(), floor: z.number() }).optional(),
    clip: z.number().optional(),
    batches: z.array(z.array(z.tuple([z.int(), z.array(z.string())]))),
    layout: Layout,
    steps: z.record(z.string(), z.int()),
    losses: z.array(z.record(z.string(), z.number())),
  });
  const path = "align/kinds/meta.json";
  const golden = z.object({ runs: z.record(z.string(), Run), weights: Layout });
  const { runs, weights: layout } = golden.parse(goldenJson(path, { runs: {}, weights: [] }));
  const npy = (name: string) => goldenTensor("align/kinds", `${name}.npy`) as { dims: number[]; data: Float32Array };

  /** Two convolutions of stride 2, each with instance norm and GELU, the mean, and a linear map. */
  const pictures: Architecture = (net, x) => {
    const { g } = net;
    let y = x;
    for (const [i, channels] of [4, 6].entries()) {
      const w = net.take(`stages.${i}.weight`, [channels, y.shape![1] as number, 3, 3], { value: 0 });
      const scale = net.take(`stages.${i}.norm.weight`, [channels], { value: 1 });
      const shift = net.take(`stages.${i}.norm.bias`, [channels], { value: 0 });
      const map = g.op("Conv", [y, w], { strides: [2, 2], pads: [1, 1, 1, 1] });
      y = gelu(g, g.op("InstanceNormalization", [map, scale, shift], { epsilon: { float: 1e-5 } }));
    }
    const pooled = reshape(g, mean(g, y, [2, 3], 4), [x.shape![0] as number, 6]);
    return normalizeRows(g, linear(net, pooled, "head", 16));
  };

  function begun(): Record<string, Tower> {
    const architectures = {
      image: pictures,
      text: head({ dim: 16 }),
      video: head({ dim: 16, hidden: 14 }),
      imu: head({ dim: 16 }),
    };
    const weights = named(layout, npy("weights_step0").data);
    return Object.fromEntries(
      Object.entries(architectures).map(([tower, architecture]) => {
        const own = weights.filter(({ name }) => name.startsWith(`${tower}.`));
        const stripped = own.map((p) => ({ ...p, name: p.name.slice(tower.length + 1) }));
        return [tower, { architecture, dims: npy(tower).dims.slice(1), weights: stripped }];
      }),
    );
  }

  test.each(Object.keys(runs))("%s: losses and weights after 1, 10 and 50 steps are the same", async (name) => {
    const given = runs[name]!;
    const towers = begun();
    for (const frozen of given.frozen) towers[frozen] = { ...towers[frozen]!, frozen: true };
    const { kinds, scale, optimizer, schedule, clip } = given;
    const options = { towers, kinds: kinds as PairKind[], batch: 10, scale, optimizer };
    await using trainer = await opened({ ...options, ...(schedule && { schedule }), ...(clip && { clip }) });
    for (const [i, batch] of given.batches.entries()) {
      const moments = batch.map(
        ([moment, has]): Moment =>
          Object.fromEntries(
            has.map((tower) => {
              const { dims, data } = npy(tower);
              const size = data.length / dims[0]!;
              return [tower, data.slice(moment * size, (moment + 1) * size)];
            }),
          ),
      );
      const losses = await trainer.step(moments);
      expect(Object.keys(losses).sort()).toEqual(Object.keys(given.losses[i]!).sort());
      for (const [kind, loss] of Object.entries(losses)) {
        expect(Math.abs(loss - given.losses[i]![kind]!)).toBeLessThan(1e-4 * given.losses[i]![kind]! + 1e-5);
      }
      if (![1, 10, 50].includes(i + 1)) continue;
      const expected = named(given.layout, npy(`${name}_step${i + 1}`).data);
      for (const { name: weight, data } of expected) {
        const [tower, ...rest] = weight.split(".");
        const isTower = towers[tower!] !== undefined;
        const found = isTower ? trainer.weightsOf(tower!).find((w) => w.name === rest.join("."))!.data : undefined;
        const got = found ?? [...trainer.state.vectors].find(([key]) => key.startsWith(`w.${weight}/`))![1];
        expect(distance(got, data).max, `${weight} after ${i + 1}`).toBeLessThan(i < 10 ? 1e-5 : 5e-5);
      }
    }
    for (const [part, steps] of trainer.state.steps) {
      const own = Object.entries(given.steps).filter(([key]) => `tower.${key}`.startsWith(`${part}.`) || key === part);
      expect(own.map(([, count]) => count)).toEqual(own.map(() => steps));
      expect(own.length).toBeGreaterThan(0);
    }
  });

  test.skipIf(hasGolden(path))("no such golden files are here", () => expect(runs).toEqual({}));
});

function named(layout: readonly (readonly [string, readonly number[]])[], flat: Float32Array): Parameter[] {
  let at = 0;
  return layout.map(([name, dims]) => {
    const from = at;
    at += dims.reduce((a, b) => a * b, 1);
    return { name, dims, data: flat.slice(from, at) };
  });
}

const towers = {
  image: { architecture: head({ dim: 8 }), dims: [6] },
  text: { architecture: head({ dim: 8 }), dims: [5] },
  video: { architecture: head({ dim: 8, hidden: 6 }), dims: [7], rows: 4 },
  imu: { architecture: head({ dim: 8 }), dims: [4] },
} satisfies Record<string, Tower>;
type Name = keyof typeof towers;
const kinds: readonly PairKind<Name>[] = [
  { between: ["image", "text"], queue: 3 },
  { between: ["image", "video"], loss: "sigmoid" },
  { between: ["image", "imu"], same: 0.99 },
];
const options: JointOptions<Name> = { towers, kinds, batch: 6, optimizer: adamW };

const modalities = fc.subarray(["image", "text", "video", "imu"] as const);
const batches = fc.array(modalities, { minLength: 1, maxLength: 6 });
const drawn = (has: readonly Name[], random: () => number): Moment<Name> =>
  Object.fromEntries(
    has.map((name) => [name, Float32Array.from({ length: towers[name].dims[0]! }, () => gaussian(random))]),
  );
const isPair = (kind: PairKind, has: readonly string[]): boolean => kind.between.every((tower) => has.includes(tower));

describe("training several kinds of pair", () => {
  test("a tower that is in no pair of the batch stays bit for bit, with its moments and its steps; the others move", async () => {
    await using trainer = await opened(options);
    await fc.assert(
      fc.asyncProperty(batches, fc.nat(1e6), async (batch, seed) => {
        const present = kinds.filter((kind) => batch.some((has) => isPair(kind, has)));
        const moved = new Set(present.flatMap(({ between }) => between));
        fc.pre(present.length > 0 && batch.filter((has) => has.includes("video")).length <= 4);
        const before = trainer.state;
        const copies = new Map([...before.vectors].map(([name, data]) => [name, data.slice()]));
        const random = seeded(seed);
        const losses = await trainer.step(batch.map((has) => drawn(has, random)));
        expect(Object.keys(losses)).toEqual(present.map(({ between }) => between.join("+")));
        for (const [name, data] of trainer.state.vectors) {
          const part = name.split("/")[0]!.slice(2);
          const mine = part.startsWith("tower.")
            ? moved.has(part.slice("tower.".length) as Name)
            : present.some(({ between }) => part.endsWith(between.join("+")));
          expect(trainer.state.steps.get(part)).toBe(before.steps.get(part)! + (mine ? 1 : 0));
          if (!mine) expect(data).toEqual(copies.get(name));
          // Decay moves matrices even where a pair is alone in its batch and has nothing to learn from.
          if (mine && name.startsWith("w.tower.") && name.endsWith("/matrices"))
            expect(data).not.toEqual(copies.get(name));
        }
      }),
      { numRuns: 30 },
    );
  });

  test("what fills up a short batch does not count: twice the room gives the same weights", async () => {
    const random = seeded(3);
    const moments = [
      ["image", "text"],
      ["image", "imu", "text"],
      ["image", "video"],
      ["image", "video"],
    ] as const;
    const batch = moments.map((has) => drawn(has, random));
    await using tight = await opened({ ...options, batch: 4 });
    await using wide = await opened({ ...options, batch: 9 });
    for (let i = 0; i < 3; i++) {
      const [a, b] = [await tight.step(batch), await wide.step(batch)];
      for (const [kind, loss] of Object.entries(a)) expect(b[kind]).toBeCloseTo(loss, 5);
    }
    for (const name of ["image", "text", "video", "imu"] as const) {
      for (const [i, { data }] of tight.weightsOf(name).entries()) {
        expect(distance(data, wide.weightsOf(name)[i]!.data).max).toBeLessThan(1e-6);
      }
    }
  });

  test("a state that is restored goes on as if nothing had been, queues too", async () => {
    const random = seeded(4);
    const batch = () => [0, 1, 2].map(() => drawn(["image", "text"], random));
    const [first, second] = [batch(), batch()];
    await using trainer = await opened(options);
    await trainer.step(first);
    const { state } = trainer;
    const once = await trainer.step(second);
    await using other = await opened({ ...options, seed: 9 });
    other.restore(state);
    expect(await other.step(second)).toEqual(once);
    expect(other.weightsOf("image")).toEqual(trainer.weightsOf("image"));
    expect(other.state.queues.get("image+text")).toHaveLength(3 * 8);
  });

  test("a run that fails leaves the state as it was", async () => {
    const random = seeded(5);
    const batch = [0, 1].map(() => drawn(["image", "text"], random));
    let fails = false;
    const broken: Engine = {
      async load(path, given) {
        const session = await runtime.load(path, given);
        return {
          async run(feeds, signal) {
            const out = await session.run(feeds, signal);
            if (fails) throw new RangeError("out of memory");
            return out;
          },
          [Symbol.asyncDispose]: () => Promise.resolve(session[Symbol.asyncDispose]()),
        };
      },
    };
    await using trainer = await opened(options, broken);
    await trainer.step(batch);
    const { state } = trainer;
    const copies = new Map([...state.vectors].map(([name, data]) => [name, data.slice()]));
    fails = true;
    await expect(trainer.step(batch)).rejects.toThrow("out of memory");
    expect(trainer.state).toEqual(state);
    expect(trainer.state.vectors).toEqual(copies);
    fails = false;
    await trainer.step(batch);
    await trainer.step(batch);
    expect(trainer.taken).toBe(3);
    expect(state.vectors).toEqual(copies);
  });

  test("a tower of no kind of pair keeps the weights that it was given", async () => {
    const weights = (await opened(options)).weightsOf("imu");
    const given = { ...options, towers: { ...towers, imu: { ...towers.imu, weights } }, kinds: [kinds[0]!] };
    await using trainer = await opened({ ...given, seed: 5 });
    expect(trainer.weightsOf("imu")).toEqual(weights);
  });

  test("embeddings that are already there are a tower without weights: what is bound to them learns", async () => {
    const random = seeded(7);
    const anchors = { architecture: (_: unknown, x: Value) => x, dims: [8] };
    const scenes = [0, 1, 2, 3, 4, 5].map(() => normalize(Array.from({ length: 8 }, () => gaussian(random))));
    await using trainer = await opened({
      towers: { image: anchors, imu: { architecture: head({ dim: 8 }), dims: [8] } },
      kinds: [{ between: ["image", "imu"] }],
      batch: 6,
      optimizer: { ...adamW, lr: 0.02 },
    });
    const moments = scenes.map((image) => ({ image, imu: image.map((value, i) => value + image[(i + 3) % 8]!) }));
    const first = (await trainer.step(moments))["image+imu"]!;
    for (let i = 0; i < 20; i++) await trainer.step(moments);
    expect((await trainer.step(moments))["image+imu"]!).toBeLessThan(first / 4);
    expect(trainer.weightsOf("image")).toEqual([]);
  });

  test("two towers of one form do not begin as one", async () => {
    const twins = { image: towers.text, text: towers.text };
    await using trainer = await opened({ ...options, towers: twins, kinds: [{ between: ["image", "text"] }] });
    expect(trainer.weightsOf("image")).not.toEqual(trainer.weightsOf("text"));
  });

  test("what cannot be a step is refused with its reason", async () => {
    const random = seeded(6);
    await using trainer = await opened(options);
    const refusal = async (moments: readonly Moment<Name>[]): Promise<string> => {
      try {
        await trainer.step(moments);
      } catch (error) {
        if (isSenseError(error)) return `${error.code}: ${error.message}`;
      }
      return "none";
    };
    expect(await refusal([drawn(["text", "video"], random)])).toBe(
      "BAD_PAIRS: none of the batch's 1 moments is a pair",
    );
    const five = [0, 1, 2, 3, 4].map(() => drawn(["image", "video"], random));
    expect(await refusal(five)).toBe("BAD_ARGUMENT: a batch with 5 of video has room for 4");
    const short = { ...drawn(["image"], random), text: new Float32Array(3) };
    expect(await refusal([short])).toBe("MODEL_MISMATCH: text takes [5], got 3 numbers");
    const spoilt = { ...drawn(["image"], random), text: new Float32Array(5).fill(Number.NaN) };
    const before = trainer.state;
    expect(await refusal([spoilt, drawn(["image", "text"], random)])).toBe(
      "BAD_PAIRS: the loss of image+text at step 1 is no number",
    );
    expect(trainer.state).toEqual(before);
    const strange = { ...options, kinds: [{ between: ["image", "smell"] }] } as unknown as JointOptions;
    await expect(opened(strange)).rejects.toThrow("there is no tower smell for pairs of image+smell");
    await expect(opened({ ...options, kinds: [kinds[0]!, kinds[0]!] })).rejects.toThrow("listed twice");
    const same = { ...options, kinds: [{ between: ["text", "text"] }] } as JointOptions<Name>;
    await expect(opened(same)).rejects.toThrow("pairs of text+text are of one tower");
    expect(trainer.taken).toBe(0);
  });
});
