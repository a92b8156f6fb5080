import { expect, test } from "vitest";
import { lora } from "../../../src/align/net/lora.js";
import { finished, parametersOf } from "../../../src/align/net/net.js";
import { isSenseError } from "../../../src/core/errors.js";
import { seeded } from "../../../src/core/random.js";
import { sum } from "../../../src/onnx/arithmetic.js";
import { loadModel } from "../../../src/onnx/file.js";
import { gradients } from "../../../src/onnx/gradient/gradient.js";
import { graph } from "../../../src/onnx/graph.js";
import { run } from "../../onnx/run.js";
import { distance } from "../../support/golden.js";

const random = seeded(3);
const imu = await loadModel("models/nano/imu.onnx");
const [, ...dims] = imu.inputs[0]!.shape as [string, ...number[]];
const noise = (n: number) => ({
  dims: [n, ...dims],
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, n) }, () => random() - 0.5),
});

test("an encoder with untrained updates is the encoder, whatever the batch", async () => {
  const architecture = lora([imu], { rank: 2 });
  const parameters = parametersOf((net) => void architecture(net, net.g.input("x", "float32", [3, ...dims])), 1);
  expect(parameters.length).toBeGreaterThan(1);
  const made = finished(architecture, ["n", ...dims], parameters);
  for (const n of [1, 3]) {
    const x = noise(n);
    const { embedding } = await run(made, { input: x });
    const { embedding: before } = await run("models/nano/imu.onnx", { [imu.inputs[0]!.name]: x });
    expect(distance(embedding!.data, before!.data).max).toBeLessThan(1e-5);
  }
});

test("the updates move it, each having a gradient, and the frozen weights have none", async () => {
  const g = graph({ opset: 20 });
  const x = g.input("x", "float32", [2, ...dims]);
  const taken: string[] = [];
  const wrt: ReturnType<typeof g.input>[] = [];
  const z = lora([imu], { rank: 2 })(
    {
      g,
      take(name, shape) {
        taken.push(name);
        wrt.push(g.input(name, "float32", shape));
        return wrt.at(-1)!;
      },
    },
    x,
  );
  for (const [i, grad] of gradients(g, sum(g, z), wrt).entries()) g.output(`d${i}`, grad);
  const feeds = Object.fromEntries(
    wrt.map(({ name, shape }) => {
      const size = (shape as number[]).reduce((a, b) => a * b, 1);
      return [
        name,
        { dims: shape as number[], data: Float32Array.from({ length: size }, () => 0.1 * (random() - 0.5)) },
      ];
    }),
  );
  const out = await run(g, { x: noise(2), ...feeds });
  expect(taken.every((name) => name.startsWith("lora."))).toBe(true);
  expect(wrt.every((_, i) => out[`d${i}`]!.data.some((value) => Math.abs(value) > 1e-9))).toBe(true);
});

test("an operator that cannot be learned through is named", () => {
  const frozen = graph();
  const x = frozen.input("x", "float32", ["n", 4]);
  const w = frozen.weight("w", { dims: [4, 4], data: new Float32Array(16) });
  frozen.output("y", frozen.op("Round", [frozen.op("MatMul", [x, w])], {}, { name: "steps" }));
  const g = graph({ opset: 20 });
  const wrt: ReturnType<typeof g.input>[] = [];
  const take = (name: string, shape: readonly number[]) => {
    wrt.push(g.input(name, "float32", shape));
    return wrt.at(-1)!;
  };
  const z = lora([frozen], { rank: 1 })({ g, take }, g.input("x", "float32", [2, 4]));
  try {
    gradients(g, sum(g, z), wrt);
    expect.unreachable();
  } catch (error) {
    expect(isSenseError(error, "BAD_MODEL") && error.message).toMatch(/^Round \(steps/);
  }
});
