import { add, div, mul, reshape, sqrt, sub } from "../../onnx/arithmetic.js";
import type { Graph } from "../../onnx/graph.js";
import type { Value } from "../../onnx/value.js";

export interface AdamWOptions {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** Decoupled: w shrinks by lr times this, apart from the gradient. */
  readonly decay: number;
}

export const adamW: AdamWOptions = { lr: 1e-3, betas: [0.9, 0.98], epsilon: 1e-8, decay: 0.05 };

/** A weight with its moments: three values of one shape. */
export interface Moments {
  readonly w: Value;
  readonly m: Value;
  readonly v: Value;
}

/** What one step's numbers are, the same for every weight. */
export interface Rates {
  /** lr / (1 - beta1^t). */
  readonly step: Value;
  /** 1 / sqrt(1 - beta2^t). */
  readonly second: Value;
  /** 1 - lr decay. */
  readonly keep: Value;
}

/** Rates of the step that is `taken` steps after the first, a float32 scalar, at the learning rate `lr`. */
export function ratesOf(g: Graph, taken: Value, lr: Value, { betas, decay }: AdamWOptions): Rates {
  const t = add(g, taken, 1);
  const rest = (beta: number): Value => sub(g, 1, g.op("Pow", [g.floats(beta), t]));
  return {
    step: div(g, lr, rest(betas[0])),
    second: div(g, 1, sqrt(g, rest(betas[1]))),
    keep: sub(g, 1, mul(g, lr, decay)),
  };
}

/** AdamW (Loshchilov and Hutter, arXiv 1711.05101), in torch's order of operations. */
export function update(
  g: Graph,
  { w, m, v }: Moments,
  dw: Value,
  rates: Rates,
  { betas, epsilon, decays }: AdamWOptions & { readonly decays: boolean },
): Moments {
  const first = add(g, mul(g, m, betas[0]), mul(g, dw, 1 - betas[0]));
  const second = add(g, mul(g, v, betas[1]), mul(g, mul(g, dw, dw), 1 - betas[1]));
  const root = add(g, mul(g, sqrt(g, second), rates.second), epsilon);
  const kept = decays ? mul(g, w, rates.keep) : w;
  return { w: sub(g, kept, mul(g, div(g, first, root), rates.step)), m: first, v: second };
}

/** Numbers that one pass over a weight and its moments holds in a core's cache. */
const chunk = 32_768;

/** The largest divisor of `n` that is at most a chunk. */
function chunkOf(n: number): number {
  for (let pieces = Math.ceil(n / chunk); pieces <= Math.sqrt(n); pieces++) if (n % pieces === 0) return n / pieces;
  return n;
}

/**
 * The same for a large weight, in pieces that stay in the cache: a dozen passes over memory become one. Weights without a fitting
 * divisor are updated whole.
 */
export function updateInPieces(
  g: Graph,
  moments: Moments,
  dw: Value,
  rates: Rates,
  options: AdamWOptions & { readonly decays: boolean },
): Moments {
  const dims = moments.w.shape as readonly number[];
  const n = dims.reduce((a, b) => a * b, 1);
  const size = chunkOf(n);
  if (size === n) return update(g, moments, dw, rates, options);
  const pieces = [moments.w, moments.m, moments.v, dw].map((value) => reshape(g, value, [n / size, size]));
  const body = g.body("adamw", (b) => {
    const [w, m, v, d] = pieces.map(() => b.argument("float32", [size]));
    const next = update(b, { w: w!, m: m!, v: v! }, d!, rates, options);
    for (const value of [next.w, next.m, next.v]) b.result(value);
  });
  const out = g.ops("Scan", pieces, { num_scan_inputs: 4, body: { graph: body } }, { outputs: 3 });
  const [w, m, v] = out.map((value) => reshape(g, value, dims));
  return { w: w!, m: m!, v: v! };
}
