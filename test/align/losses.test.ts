import fc from "fast-check";
import { expect, test } from "vitest";
import { drawn, infoNce, logitScale, sigmoidBias, sigmoidLoss } from "../../src/align/train/loss.js";
import { rateAt, rateOf } from "../../src/align/train/schedule.js";
import { clipFactor } from "../../src/align/train/step-graph.js";
import { seeded } from "../../src/core/random.js";
import { graph } from "../../src/onnx/graph.js";
import { run } from "../onnx/run.js";

const unitRows = (n: number, dim: number, random: () => number): number[][] =>
  Array.from({ length: n }, () => {
    const row = Array.from({ length: dim }, () => random() - 0.5);
    const norm = Math.hypot(...row);
    return row.map((value) => value / norm);
  });
const tensorOf = (rows: readonly (readonly number[])[]) => ({
  dims: [rows.length, rows[0]!.length],
  data: Float32Array.from(rows.flat()),
});
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const logSumExp = (xs: readonly number[]): number => Math.log(xs.reduce((sum, x) => sum + Math.exp(x), 0));

const cases = fc.record({
  n: fc.integer({ min: 2, max: 5 }),
  queue: fc.integer({ min: 0, max: 4 }),
  seed: fc.nat(1000),
  twin: fc.boolean(),
});

/** Rows, anchors of which two may be twins, and a queue that then holds one of them too. */
function sampled({ n, queue, seed, twin }: { n: number; queue: number; seed: number; twin: boolean }) {
  const random = seeded(seed);
  const [z, anchors, past] = [unitRows(n, 4, random), unitRows(n, 4, random), unitRows(queue, 4, random)];
  if (twin) anchors[1] = anchors[0]!;
  if (twin && queue > 0) past[0] = anchors[0]!;
  return { z, anchors, past };
}

const s = 1 / 0.07;
const same = 0.999;

test("InfoNCE is the mean cross-entropy both ways, without near-identical anchors as negatives", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (given) => {
      const { z, anchors, past } = sampled(given);
      const all = [...anchors, ...past];
      const hidden = (i: number, j: number): boolean => i !== j && dot(anchors[i]!, all[j]!) > same;
      let expected = 0;
      for (const [i, row] of z.entries()) {
        const own = s * dot(row, anchors[i]!);
        expected += logSumExp(all.flatMap((a, j) => (hidden(i, j) ? [] : [s * dot(row, a)]))) - own;
        expected += logSumExp(z.flatMap((other, j) => (hidden(j, i) ? [] : [s * dot(other, anchors[i]!)]))) - own;
      }
      const g = graph({ opset: 20 });
      const net = { g, take: () => g.floats(Math.log(s)) };
      const [a, b] = [g.weight("z", tensorOf(z)), g.weight("t", tensorOf(anchors))];
      const queue = past.length > 0 ? { queue: g.weight("q", tensorOf(past)) } : {};
      g.output("loss", infoNce(g, a, b, { scale: logitScale(net), same, ...queue }));
      const { loss } = await run(g, {});
      expect(loss!.data[0]).toBeCloseTo(expected / (2 * z.length), 3);
    }),
    { numRuns: 25 },
  );
});

test("the sigmoid loss judges each pair on its own", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (given) => {
      const { z, anchors, past } = sampled(given);
      const all = [...anchors, ...past];
      let expected = 0;
      for (const [i, row] of z.entries()) {
        for (const [j, anchor] of all.entries()) {
          if (i !== j && dot(anchors[i]!, anchor) > same) continue;
          const logit = (i === j ? 1 : -1) * (s * dot(row, anchor) - 10);
          expected += Math.log1p(Math.exp(-logit));
        }
      }
      const g = graph({ opset: 20 });
      const scale = logitScale({ g, take: () => g.floats(Math.log(s)) });
      const bias = sigmoidBias({ g, take: (_n, _d, init) => g.floats("value" in init ? init.value : 0) });
      const [a, b] = [g.weight("z", tensorOf(z)), g.weight("t", tensorOf(anchors))];
      const queue = past.length > 0 ? { queue: g.weight("q", tensorOf(past)) } : {};
      g.output("loss", sigmoidLoss(g, a, b, { scale, bias, same, ...queue }));
      const { loss } = await run(g, {});
      expect(loss!.data[0]).toBeCloseTo(expected / z.length, 3);
    }),
    { numRuns: 25 },
  );
});

test("a pull takes the mean cosine of rows and their own anchors off the loss", async () => {
  const random = seeded(4);
  const [z, anchors] = [unitRows(3, 4, random), unitRows(3, 4, random)];
  const g = graph({ opset: 20 });
  const rows = { z: g.weight("z", tensorOf(z)), anchors: g.weight("t", tensorOf(anchors)) };
  g.output("loss", drawn(g, g.floats(2), { ...rows, pull: 5 }));
  const mean = z.reduce((sum, row, i) => sum + dot(row, anchors[i]!), 0) / 3;
  expect((await run(g, {})).loss!.data[0]).toBeCloseTo(2 - 5 * mean, 4);
});

test("the logit scale is never above 100", async () => {
  const g = graph({ opset: 20 });
  g.output("scale", logitScale({ g, take: () => g.floats(9) }));
  expect((await run(g, {})).scale!.data[0]).toBe(100);
});

test("the graph's learning rate is the one that is told: warm-up, then half a cosine to the floor", async () => {
  const schedule = { warmup: 5, total: 40, floor: 0.1 };
  const g = graph({ opset: 20 });
  g.output("rate", rateAt(g, g.input("taken", "float32", []), 0.01, schedule));
  for (const taken of [0, 3, 5, 20, 39, 60]) {
    const { rate } = await run(g, { taken: { dims: [], data: Float32Array.of(taken) } });
    expect(rate!.data[0]).toBeCloseTo(rateOf(taken, 0.01, schedule), 6);
  }
  expect(rateOf(0, 0.01, schedule)).toBeCloseTo(0.002, 9);
  expect(rateOf(60, 0.01, schedule)).toBeCloseTo(0.001, 9);
});

test("gradients that are too long together are shortened together, short ones stay", async () => {
  const g = graph({ opset: 20 });
  const [a, b] = [g.weight("a", tensorOf([[3, 0]])), g.weight("b", tensorOf([[0, 4]]))];
  g.output("long", clipFactor(g, [a, b], 1));
  g.output("short", clipFactor(g, [a, b], 9));
  const out = await run(g, {});
  expect(out.long!.data[0]).toBeCloseTo(0.2, 5);
  expect(out.short!.data[0]).toBe(1);
});
