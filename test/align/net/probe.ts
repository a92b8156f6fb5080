import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Architecture, Parameter } from "../../../src/align/net/net.js";
import { parametersOf } from "../../../src/align/net/net.js";
import { gaussian, seeded } from "../../../src/core/random.js";
import type { Tensor } from "../../../src/core/tensor.js";
import { mul, sum } from "../../../src/onnx/arithmetic.js";
import { saveModel } from "../../../src/onnx/file.js";
import { gradients } from "../../../src/onnx/gradient/gradient.js";
import { graph } from "../../../src/onnx/graph.js";
import { run } from "../../onnx/run.js";

export const noise = (dims: readonly number[], seed: number): Tensor<Float32Array> => {
  const random = seeded(seed);
  return { dims, data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => gaussian(random)) };
};

/** The weights of a network as it begins for inputs of this shape, the batch included. */
export const weightsOf = (architecture: Architecture, dims: readonly number[], seed = 1): Parameter[] =>
  parametersOf((net) => void architecture(net, net.g.input("x", "float32", dims)), seed);

export interface ProbeOptions {
  readonly along?: Tensor<Float32Array>;
  /** Whether the gradient with respect to x is wanted too. */
  readonly ofInput?: boolean;
  /** Where the graph is written, if it takes weights from other files. */
  readonly folder?: string | undefined;
}

/** Runs a network and its gradients: of the sum of the outputs times `along`, with respect to each weight. */
export async function probe(
  architecture: Architecture,
  x: Tensor<Float32Array>,
  parameters: readonly Parameter[],
  { along, ofInput = false, folder }: ProbeOptions = {},
) {
  const g = graph({ opset: 20 });
  const input = g.input("x", "float32", x.dims);
  const weights = new Map(parameters.map(({ name, dims }) => [name, g.input(name, "float32", dims)]));
  const z = architecture({ g, take: (name) => weights.get(name)! }, input);
  const times = along ?? noise(z.shape as number[], 17);
  const loss = sum(g, mul(g, z, g.weight("along", times)));
  const wanted = [...weights.values(), ...(ofInput ? [input] : [])];
  for (const [i, d] of gradients(g, loss, wanted).entries()) g.output(`d${i}`, d);
  g.output("loss", loss);
  g.output("z", z);
  // A folder of its own: the graph's weights may lie in the file of the last one.
  const path = folder && join(await mkdtemp(join(folder, "probe-")), "probe.onnx");
  if (path !== undefined) await saveModel(g, path, { external: "probe.onnx.data" });
  const out = await run(path ?? g, { x, ...Object.fromEntries(parameters.map((p) => [p.name, p])) });
  return {
    z: out.z!,
    loss: out.loss!.data[0]!,
    gradients: new Map([...weights.keys(), ...(ofInput ? ["x"] : [])].map((name, i) => [name, out[`d${i}`]!.data])),
  };
}

/** How far all gradients together are from a central difference along a random direction, as a share of their size. */
export async function slopeError(
  architecture: Architecture,
  x: Tensor<Float32Array>,
  parameters: readonly Parameter[],
  folder?: string,
): Promise<number> {
  const { gradients: found } = await probe(architecture, x, parameters, { folder });
  const directions = parameters.map(({ dims }, i) => noise(dims, 100 + i).data);
  const step = 2e-3;
  const moved = (sign: number): Parameter[] =>
    parameters.map((p, i) => ({ ...p, data: p.data.map((value, j) => value + sign * step * directions[i]![j]!) }));
  const [up, down] = [
    await probe(architecture, x, moved(1), { folder }),
    await probe(architecture, x, moved(-1), { folder }),
  ];
  let told = 0;
  let squares = 0;
  for (const [i, { name }] of parameters.entries()) {
    for (const [j, value] of found.get(name)!.entries()) {
      told += value * directions[i]![j]!;
      squares += value * value;
    }
  }
  return Math.abs((up.loss - down.loss) / (2 * step) - told) / (Math.sqrt(squares) + Math.abs(told));
}
