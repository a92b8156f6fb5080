import { add, div, mul, reshape, sqrt } from "../../onnx/arithmetic.js";
import { gradients } from "../../onnx/gradient/gradient.js";
import { type Graph, graph } from "../../onnx/graph.js";
import type { DataType } from "../../onnx/types.js";
import type { Value } from "../../onnx/value.js";
import { type Net, type Parameter, parametersOf, trainingOpset } from "../net/net.js";
import { type AdamWOptions, type Moments, ratesOf, stepped } from "./adamw.js";
import { type Packing, packingOf } from "./packing.js";
import { constant, rateAt, type Schedule } from "./schedule.js";

/** A tensor that each step gets anew: a batch, a mask. */
export interface StepInput {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type?: DataType;
}

export interface StepOptions {
  readonly inputs: readonly StepInput[];
  /** A scalar from the weights that it takes and the step's inputs. */
  readonly loss: (net: Net, inputs: Readonly<Record<string, Value>>) => Value;
  readonly optimizer: AdamWOptions;
  readonly schedule?: Schedule;
  /** Gradients longer than this together are shortened to it (Pascanu et al., arXiv 1211.5063). */
  readonly clip?: number;
  /** Steps in one run of the graph. */
  readonly steps: number;
  /** Batches whose gradients are averaged before each step. */
  readonly accumulate?: number;
}

/** A graph of whole training steps, and how its weights lie in its state. */
export interface StepGraph {
  readonly graph: Graph;
  readonly packing: Packing;
  readonly steps: number;
  readonly accumulate: number;
}

/** The parameters of a loss as they begin. */
export const beginning = ({ inputs, loss }: Pick<StepOptions, "inputs" | "loss">, seed: number): Parameter[] =>
  parametersOf((net) => {
    loss(
      net,
      Object.fromEntries(inputs.map(({ name, dims, type }) => [name, net.g.input(name, type ?? "float32", dims)])),
    );
  }, seed);

/**
 * Forward, backward, clipping, schedule and AdamW in one graph. Inputs: the state (`w.*`, `m.*`, `v.*` of the packing, and
 * `taken`, the number of steps before) and, for each step input, `[steps, accumulate, ...dims]`. Outputs: the state under the
 * same names with `next.` before, and `losses` [steps, accumulate]. Weight decay acts on matrices only.
 */
export function stepGraph(parameters: readonly Parameter[], options: StepOptions): StepGraph {
  const { inputs, steps, accumulate = 1 } = options;
  const packing = packingOf(parameters);
  const g = graph({ name: "training", opset: trainingOpset });
  const state = [
    ...packing.tensors.flatMap(({ name, dims }) =>
      ["w", "m", "v"].map((part) => g.input(`${part}.${name}`, "float32", dims)),
    ),
  ];
  const taken = g.input("taken", "float32", []);
  const fed = inputs.map(({ name, dims, type = "float32" }) => g.input(name, type, [steps, accumulate, ...dims]));
  const body = g.body("step", (b) => {
    const before = [...state, taken].map((value) => b.argument("float32", value.shape));
    const batches = inputs.map(({ dims, type = "float32" }) => b.argument(type, [accumulate, ...dims]));
    const { after, losses } = oneStep(b, before, batches, packing, options);
    for (const value of [...after, losses]) b.result(value);
  });
  const outputs = state.length + 2;
  const out = g.ops(
    "Scan",
    [...state, taken, ...fed],
    { num_scan_inputs: fed.length, body: { graph: body } },
    { outputs },
  );
  for (const [i, value] of [...state, taken].entries()) g.output(`next.${value.name}`, out[i]!);
  g.output("losses", out.at(-1)!);
  return { graph: g, packing, steps, accumulate };
}

function oneStep(
  b: Graph,
  before: readonly Value[],
  batches: readonly Value[],
  packing: Packing,
  options: StepOptions,
): { after: Value[]; losses: Value } {
  const { optimizer, schedule = constant, clip } = options;
  const tensors = packing.tensors.map(
    (_, i): Moments => ({ w: before[3 * i]!, m: before[3 * i + 1]!, v: before[3 * i + 2]! }),
  );
  const taken = before.at(-1)!;
  const weights = tensors.map(({ w }) => w);
  const { grads, losses } = gradientsOf(b, weights, batches, packing, options);
  const factor = clip === undefined ? undefined : clipFactor(b, grads, clip);
  const rates = ratesOf(b, taken, rateAt(b, taken, optimizer.lr, schedule), { ...optimizer, factor });
  const after = tensors.flatMap((moments, i) => {
    const { decays } = packing.tensors[i]!;
    const { w, m, v } = stepped(b, moments, grads[i]!, rates, { betas: optimizer.betas, decays });
    return [w, m, v];
  });
  return { after: [...after, add(b, taken, 1)], losses };
}

/** What shortens all gradients together to the length `limit` where they are longer (torch.nn.utils.clip_grad_norm_). */
export function clipFactor(b: Graph, grads: readonly Value[], limit: number): Value {
  const squares = grads.map((grad) => b.op("ReduceSumSquare", [grad], { keepdims: 0 }));
  const norm = sqrt(b, squares.length === 1 ? squares[0]! : b.op("Sum", squares));
  return b.op("Min", [div(b, limit, add(b, norm, 1e-6)), b.floats(1)]);
}

/** Loss and gradients of one batch, or the mean gradients of several, one after the other. */
function gradientsOf(
  b: Graph,
  weights: readonly Value[],
  batches: readonly Value[],
  packing: Packing,
  { inputs, loss, accumulate = 1 }: StepOptions,
): { grads: readonly Value[]; losses: Value } {
  const on = (g: Graph, given: readonly Value[]): { grads: Value[]; loss: Value } => {
    const net: Net = { g, take: packing.taker(g, weights) };
    const value = loss(net, Object.fromEntries(inputs.map(({ name }, i) => [name, given[i]!])));
    return { grads: gradients(g, value, weights), loss: value };
  };
  if (accumulate === 1) {
    const single = batches.map((value, i) => reshape(b, value, inputs[i]!.dims));
    const { grads, loss: value } = on(b, single);
    return { grads, losses: reshape(b, value, [1]) };
  }
  const body = b.body("batch", (c) => {
    const sums = weights.map((w) => c.argument("float32", w.shape));
    const given = batches.map((value, i) => c.argument(value.type ?? "float32", inputs[i]!.dims));
    const { grads, loss: value } = on(c, given);
    for (const [i, grad] of grads.entries()) c.result(add(c, sums[i]!, grad));
    c.result(value);
  });
  const zeros = weights.map((w) => b.op("Expand", [b.floats(0), b.ints(w.shape as readonly number[])]));
  const out = b.ops(
    "Scan",
    [...zeros, ...batches],
    { num_scan_inputs: batches.length, body: { graph: body } },
    { outputs: weights.length + 1 },
  );
  const grads = weights.map((w, i) => mul(b, reshape(b, out[i]!, w.shape as readonly number[]), 1 / accumulate));
  return { grads, losses: out.at(-1)! };
}
