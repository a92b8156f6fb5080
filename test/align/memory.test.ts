import fc from "fast-check";
import { expect, test } from "vitest";
import { fitted, type Load, type Sizes } from "../../src/align/fit.js";
import { footprintOf } from "../../src/align/memory.js";
import { seriesTransformer } from "../../src/align/net/architectures.js";
import { adamW } from "../../src/align/train/adamw.js";
import { forwardGraph } from "../../src/align/train/forward.js";
import { infoNce, logitScale } from "../../src/align/train/loss.js";
import { packingOf } from "../../src/align/train/packing.js";
import { beginning, type StepOptions, stepGraph } from "../../src/align/train/step-graph.js";
import { add, matMul } from "../../src/onnx/arithmetic.js";
import { graph } from "../../src/onnx/graph.js";

test("a graph holds its inputs and what is still needed, no more", () => {
  const g = graph({});
  const x = g.input("x", "float32", ["n", 100]);
  const w = g.weight("w", { dims: [100, 50], data: new Float32Array(5000) });
  const y = matMul(g, x, w);
  const z = matMul(g, y, g.weight("v", { dims: [50, 10], data: new Float32Array(500) }));
  g.output("out", add(g, z, 1));
  const { weights, peak } = footprintOf(g, 8);
  expect(weights).toBe(4 * (5000 + 500 + 1));
  // x is gone when y is there, y when z is.
  expect(peak).toBe(4 * 8 * (100 + 50));
});

const dim = 32;
const dims = [4, 64];

function load(): Load {
  const architecture = seriesTransformer({ dim, width: 32, depth: 2, heads: 2, biasKv: false, patch: 4 });
  const options = ({ batch, queue, run, accumulate }: Sizes): StepOptions => ({
    inputs: [
      { name: "x", dims: [batch, ...dims] },
      { name: "anchors", dims: [batch, dim] },
      ...(queue > 0 ? [{ name: "queue", dims: [queue, dim] }] : []),
    ],
    loss: (net, given) =>
      infoNce(net.g, architecture(net, given.x!), given.anchors!, {
        scale: logitScale(net),
        ...(given.queue && { queue: given.queue }),
      }),
    optimizer: adamW,
    steps: run,
    accumulate,
  });
  const parameters = beginning(options(wanted), 1);
  const own = parameters.filter(({ name }) => name !== "log_logit_scale");
  return {
    ...{ dims, dim, pairs: 500 },
    weights: parameters.reduce((sum, { data }) => sum + data.byteLength, 0),
    step: (sizes) => stepGraph(parameters, options(sizes)).graph,
    forward: () => forwardGraph(architecture, packingOf(own), dims),
  };
}

const wanted: Sizes = { batch: 64, accumulate: 1, queue: 256, run: 8, rows: 32 };

test("a batch of more pairs holds more, and so do more steps a run", () => {
  const { step } = load();
  const peak = (sizes: Partial<Sizes>): number => footprintOf(step({ ...wanted, ...sizes })).peak;
  expect(peak({ batch: 64 })).toBeGreaterThan(1.5 * peak({ batch: 32 }));
  expect(peak({ run: 8 })).toBeGreaterThan(peak({ run: 1 }));
  expect(peak({ batch: 16, accumulate: 4 })).toBeLessThan(peak({ batch: 64 }));
});

test("what is given is kept to, a step has as many pairs as without a bound, and more memory is never worse", () => {
  const given = load();
  fc.assert(
    fc.property(fc.integer({ min: 76, max: 300 }), fc.integer({ min: 0, max: 100 }), (megabytes, more) => {
      const low = tried(given, megabytes * 1e6);
      const high = tried(given, (megabytes + more) * 1e6);
      if (low === undefined) return;
      expect(low.bytes).toBeLessThanOrEqual(megabytes * 1e6);
      expect(low.sizes.batch * low.sizes.accumulate).toBeGreaterThanOrEqual(wanted.batch);
      expect(low.sizes.batch + low.sizes.queue).toBeGreaterThanOrEqual(wanted.batch + wanted.queue);
      expect(high!.sizes.batch).toBeGreaterThanOrEqual(low.sizes.batch);
    }),
    { numRuns: 8 },
  );
  expect(fitted(wanted, given, 1e9).sizes).toEqual(wanted);
});

test("too little is refused with what it would take", () => {
  expect(() => fitted(wanted, load(), 10e6)).toThrow(/learning takes at least \d+ MB of memory, 10 MB are left/);
});

function tried(given: Load, memory: number): ReturnType<typeof fitted> | undefined {
  try {
    return fitted(wanted, given, memory);
  } catch {
    return undefined;
  }
}
