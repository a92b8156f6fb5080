import { gaussian, seeded } from "../../core/random.js";
import { type Graph, graph } from "../../onnx/graph.js";
import type { Shape, Value } from "../../onnx/value.js";

/** How a weight begins: a normal distribution around 0, or one number everywhere. */
export type Init = { readonly deviation: number } | { readonly value: number };

/** A learned tensor by its name in the checkpoint, torch's layout (a linear layer is [out, in]). */
export interface Parameter {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Where a network under construction gets its weights from: a training step's state, or constants of a finished tower. */
export interface Net {
  readonly g: Graph;
  /** The weight of that name; the first one who asks says its form and how it begins. */
  take(name: string, dims: readonly number[], init: Init): Value;
}

/** The same net for a part of a network, whose weights carry the part's name before theirs. */
export const partOf = (net: Net, part: string): Net => ({
  g: net.g,
  take: (name, ...form) => net.take(`${part}.${name}`, ...form),
});

/** Builds the nodes that make `[n, dim]` of an input `[n, ...]`; used for the training step and for the finished graph alike. */
export type Architecture = (net: Net, x: Value) => Value;

const sizeOf = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** A weight's first numbers: each name has its own stream of the seed, so that a network's parts do not shift one another. */
export function initial(name: string, dims: readonly number[], init: Init, seed: number): Parameter {
  const data = new Float32Array(sizeOf(dims));
  if ("value" in init) return { name, dims, data: data.fill(init.value) };
  const random = seeded([...name].reduce((hash, c) => Math.imul(hash, 31) + c.charCodeAt(0), seed));
  return { name, dims, data: data.map(() => init.deviation * gaussian(random)) };
}

/** Every weight that a network asks for, as it begins. `build` is run on a graph that is thrown away. */
export function parametersOf(build: (net: Net) => void, seed: number): Parameter[] {
  const g = graph({ opset: trainingOpset });
  const found = new Map<string, { parameter: Parameter; value: Value }>();
  build({
    g,
    take(name, dims, init) {
      const known = found.get(name);
      if (known !== undefined) return known.value;
      // An encoder that was learned before has frozen weights of the same names.
      const value = g.input(`learned ${name}`, "float32", dims);
      found.set(name, { parameter: initial(name, dims, init, seed), value });
      return value;
    },
  });
  return [...found.values()].map(({ parameter }) => parameter);
}

/** 20 is the first version with Gelu as an operator. */
export const trainingOpset = 20;

/** The finished tower: input `input` of this shape, output `embedding`, the weights inside. */
export function finished(
  architecture: Architecture,
  shape: Shape,
  parameters: readonly Parameter[],
  input = "input",
): Graph {
  const g = graph({ name: "tower", opset: trainingOpset });
  const made = new Map<string, Value>();
  const net: Net = {
    g,
    take(name, dims) {
      const known = made.get(name);
      if (known !== undefined) return known;
      const parameter = parameters.find((candidate) => candidate.name === name);
      const value = g.weight(name, { dims, data: parameter!.data });
      made.set(name, value);
      return value;
    },
  };
  g.output("embedding", architecture(net, g.input(input, "float32", shape)));
  return g;
}
