import { add, div, mul, type Operand, sqrt, sub } from "../../onnx/arithmetic.js";
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
  /** What the gradient and its square count in the moments: 1 - beta1 and 1 - beta2, with the clipping's factor in them. */
  readonly first: Operand;
  readonly second: Operand;
  /** A step is first moment / (sqrt(second moment) root + floor): the learning rate is in the divisor, which saves a pass. */
  readonly root: Value;
  readonly floor: Value;
  /** 1 - lr decay. */
  readonly keep: Value;
}

/**
 * Rates of the step that is `taken` steps after the first, a float32 scalar, at the learning rate `lr`, with gradients shortened by
 * `factor`.
 */
export function ratesOf(
  g: Graph,
  taken: Value,
  lr: Value,
  { betas, decay, epsilon, factor }: AdamWOptions & { readonly factor?: Value | undefined },
): Rates {
  const t = add(g, taken, 1);
  const rest = (beta: number): Value => sub(g, 1, g.op("Pow", [g.floats(beta), t]));
  // A learning rate of 0 at a schedule's end makes no step: not 0 times infinity.
  const step = g.op("Max", [div(g, lr, rest(betas[0])), g.floats(1e-30)]);
  return {
    first: factor === undefined ? 1 - betas[0] : mul(g, factor, 1 - betas[0]),
    second: factor === undefined ? 1 - betas[1] : mul(g, mul(g, factor, factor), 1 - betas[1]),
    root: div(g, div(g, 1, sqrt(g, rest(betas[1]))), step),
    floor: div(g, epsilon, step),
    keep: sub(g, 1, mul(g, lr, decay)),
  };
}

interface Decay {
  readonly betas: readonly [number, number];
  readonly decays: boolean;
}

function update(g: Graph, { w, m, v }: Moments, dw: Value, rates: Rates, { betas, decays }: Decay): Moments {
  const first = add(g, mul(g, m, betas[0]), mul(g, dw, rates.first));
  const second = add(g, mul(g, v, betas[1]), mul(g, mul(g, dw, dw), rates.second));
  const root = add(g, mul(g, sqrt(g, second), rates.root), rates.floor);
  const kept = decays ? mul(g, w, rates.keep) : w;
  return { w: sub(g, kept, div(g, first, root)), m: first, v: second };
}

/** Numbers that one pass over a weight and its moments holds in a core's cache. */
const chunk = 32_768;

/** The form in which a large weight is updated: `[pieces, size]`, a piece being at most a chunk; `[n]` where no divisor fits. */
export function piecesOf(n: number): readonly number[] {
  if (n <= chunk) return [n];
  for (let pieces = Math.ceil(n / chunk); pieces <= Math.sqrt(n); pieces++) {
    if (n % pieces === 0) return [pieces, n / pieces];
  }
  return [n];
}

/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101) of a weight in its pieces, which stay in the cache: a dozen passes over memory
 * become one.
 */
export function stepped(g: Graph, moments: Moments, dw: Value, rates: Rates, decay: Decay): Moments {
  const [, size] = moments.w.shape as readonly number[];
  if (size === undefined) return update(g, moments, dw, rates, decay);
  const body = g.body("adamw", (b) => {
    const [w, m, v, d] = [0, 1, 2, 3].map(() => b.argument("float32", [size]));
    const next = update(b, { w: w!, m: m!, v: v! }, d!, rates, decay);
    for (const value of [next.w, next.m, next.v]) b.result(value);
  });
  const pieces = [moments.w, moments.m, moments.v, dw];
  const [w, m, v] = g.ops("Scan", pieces, { num_scan_inputs: 4, body: { graph: body } }, { outputs: 3 });
  return { w: w!, m: m!, v: v! };
}
