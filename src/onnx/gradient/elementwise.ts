import { add, div, exp, expandLike, indicator, log, mul, neg, sub } from "../arithmetic.js";
import { floatOf } from "../attributes.js";
import { constantNumbers } from "../constant.js";
import type { Graph } from "../graph.js";
import type { Value } from "../value.js";
import { allOutputs, type Backward, type GradientRule, unbroadcast } from "./rule.js";

/** A rule for an operator of one input: what dy becomes, from x and y. */
const unary =
  (derive: (g: Graph, dy: Value, x: Value, y: Value, backward: Backward) => Value): GradientRule =>
  (backward) => {
    const { g, node, dys } = backward;
    return [derive(g, dys[0]!, node.inputs[0]!, node.outputs[0]!, backward)];
  };

/** A rule for an operator that broadcasts two inputs; each derivative is only built where it is wanted. */
const binary =
  (
    left: (g: Graph, dy: Value, a: Value, b: Value, y: Value) => Value,
    right: (g: Graph, dy: Value, a: Value, b: Value, y: Value) => Value,
  ): GradientRule =>
  ({ g, node, dys, needs }) => {
    const [a, b] = [node.inputs[0]!, node.inputs[1]!];
    const [dy, y] = [dys[0]!, node.outputs[0]!];
    return [
      needs[0] ? unbroadcast(g, left(g, dy, a, b, y), a, node) : undefined,
      needs[1] ? unbroadcast(g, right(g, dy, a, b, y), b, node) : undefined,
    ];
  };

/** dy to whichever input is the answer; where several are, in equal parts (torch.maximum and torch.minimum). */
const extremum: GradientRule = ({ g, node, dys, needs }) => {
  const hits = node.inputs.map((x) => indicator(g, g.op("Equal", [x, node.outputs[0]])));
  const share = div(g, dys[0]!, g.op("Sum", hits));
  return node.inputs.map((x, i) => (needs[i] ? unbroadcast(g, mul(g, share, hits[i]!), x!, node) : undefined));
};

const sumRule: GradientRule = ({ g, node, dys, needs }) =>
  node.inputs.map((x, i) => (needs[i] ? unbroadcast(g, dys[0]!, x!, node) : undefined));

/** Zero where the condition holds, whatever `x` is there: NaN times 0 is NaN. */
const except = (g: Graph, condition: Value, x: Value): Value => g.op("Where", [condition, g.floats(0), x]);

/** x^0 has no slope in x, and 0^p none in p from p = 0 on, where the logarithm has a pole (torch.pow). */
const power = binary(
  (g, dy, x, p) => {
    const exponents = constantNumbers(p);
    if (exponents?.length === 1 && exponents[0] === 2) return mul(g, mul(g, dy, x), 2);
    const slope = mul(g, dy, mul(g, p, g.op("Pow", [x, sub(g, p, 1)])));
    return exponents?.every((exponent) => exponent !== 0) ? slope : except(g, g.op("Equal", [p, g.floats(0)]), slope);
  },
  (g, dy, x, p, y) => {
    const isFlat = g.op("And", [g.op("Equal", [x, g.floats(0)]), g.op("GreaterOrEqual", [p, g.floats(0)])]);
    return except(g, isFlat, mul(g, dy, mul(g, y, log(g, x))));
  },
);

const where: GradientRule = ({ g, node, dys, needs }) => {
  const [condition, a, b] = node.inputs;
  const [dy, zero] = [dys[0]!, g.floats(0)];
  return [
    undefined,
    needs[1] ? unbroadcast(g, g.op("Where", [condition, dy, zero]), a!, node) : undefined,
    needs[2] ? unbroadcast(g, g.op("Where", [condition, zero, dy]), b!, node) : undefined,
  ];
};

/** Passes dy between the bounds and at them, as torch.clamp does. */
const clip: GradientRule = ({ g, node, dys }) => {
  const [x, low, high] = node.inputs;
  let dy = dys[0]!;
  if (low !== undefined) dy = mul(g, dy, indicator(g, g.op("GreaterOrEqual", [x, low])));
  if (high !== undefined) dy = mul(g, dy, indicator(g, g.op("LessOrEqual", [x, high])));
  return [dy];
};

/** Of the exact GELU x Phi(x): Phi(x) + x phi(x) (Hendrycks and Gimpel, arXiv 1606.08415). */
const gelu = unary((g, dy, x, _, { node }) => {
  if (node.attributes.approximate === "tanh") {
    const cube = mul(g, mul(g, mul(g, x, x), x), 0.044715);
    const t = g.op("Tanh", [mul(g, add(g, x, cube), Math.sqrt(2 / Math.PI))]);
    const inner = mul(g, add(g, mul(g, mul(g, x, x), 3 * 0.044715), 1), Math.sqrt(2 / Math.PI));
    const slope = mul(g, mul(g, x, sub(g, 1, mul(g, t, t))), inner);
    return mul(g, dy, mul(g, add(g, add(g, t, 1), slope), 0.5));
  }
  const below = mul(g, add(g, g.op("Erf", [mul(g, x, Math.SQRT1_2)]), 1), 0.5);
  const density = mul(g, exp(g, mul(g, mul(g, x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return mul(g, dy, add(g, below, mul(g, x, density)));
});

const isPositive = (g: Graph, x: Value): Value => indicator(g, g.op("Greater", [x, g.floats(0)]));

/** What the kernel's own mask kept, by 1 / (1 - ratio) in training mode; all of dy outside it. A given mask is a Mul. */
const dropout: GradientRule = ({ g, node, dys }) => {
  const [, ratio, isTraining] = node.inputs;
  if (isTraining === undefined) return [dys[0]];
  const [, mask] = allOutputs(g, node, ["mask"]);
  const kept = g.op("Where", [mask, dys[0], g.floats(0)]);
  const scale = div(g, 1, sub(g, 1, ratio ?? 0.5));
  return [mul(g, kept, g.op("Where", [isTraining, scale, g.floats(1)]))];
};

export const elementwiseRules: Readonly<Record<string, GradientRule>> = {
  Add: sumRule,
  Sum: sumRule,
  Mean: ({ dys: [dy], ...rest }) => sumRule({ ...rest, dys: [mul(rest.g, dy!, 1 / rest.node.inputs.length)] }),
  Sub: binary(
    (_, dy) => dy,
    (g, dy) => neg(g, dy),
  ),
  Mul: binary(
    (g, dy, _, b) => mul(g, dy, b),
    (g, dy, a) => mul(g, dy, a),
  ),
  Div: binary(
    (g, dy, _, b) => div(g, dy, b),
    (g, dy, _, b, y) => neg(g, div(g, mul(g, dy, y), b)),
  ),
  Pow: power,
  Min: extremum,
  Max: extremum,
  Where: where,
  Clip: clip,
  Identity: unary((_, dy) => dy),
  Dropout: dropout,
  Cast: unary((g, dy, x) => (x.type === "float32" ? dy : g.op("Cast", [dy], { to: x.type === "float64" ? 11 : 10 }))),
  Neg: unary((g, dy) => neg(g, dy)),
  Abs: unary((g, dy, x) => mul(g, dy, g.op("Sign", [x]))),
  Sqrt: unary((g, dy, _, y) => mul(g, div(g, dy, y), 0.5)),
  Exp: unary((g, dy, _, y) => mul(g, dy, y)),
  Log: unary((g, dy, x) => div(g, dy, x)),
  Reciprocal: unary((g, dy, _, y) => neg(g, mul(g, dy, mul(g, y, y)))),
  Sin: unary((g, dy, x) => mul(g, dy, g.op("Cos", [x]))),
  Cos: unary((g, dy, x) => neg(g, mul(g, dy, g.op("Sin", [x])))),
  Relu: unary((g, dy, x) => mul(g, dy, isPositive(g, x))),
  LeakyRelu: unary((g, dy, x, _, { node }) => {
    const slope = floatOf(node.attributes, "alpha", 0.01);
    return g.op("Where", [g.op("Greater", [x, g.floats(0)]), dy, mul(g, dy, slope)]);
  }),
  Elu: unary((g, dy, x, y, { node }) => {
    const below = mul(g, dy, add(g, y, floatOf(node.attributes, "alpha", 1)));
    return g.op("Where", [g.op("Greater", [x, g.floats(0)]), dy, below]);
  }),
  HardSigmoid: unary((g, dy, _, y, { node }) => {
    const slope = floatOf(node.attributes, "alpha", 0.2);
    const isInside = g.op("And", [g.op("Greater", [y, g.floats(0)]), g.op("Less", [y, g.floats(1)])]);
    return mul(g, dy, mul(g, indicator(g, isInside), slope));
  }),
  // x clip(x + 3, 0, 6) / 6.
  HardSwish: unary((g, dy, x) => {
    const between = mul(g, dy, add(g, div(g, x, 3), 0.5));
    const below = except(g, g.op("LessOrEqual", [x, g.floats(-3)]), between);
    return g.op("Where", [g.op("GreaterOrEqual", [x, g.floats(3)]), dy, below]);
  }),
  Sigmoid: unary((g, dy, _, y) => mul(g, dy, mul(g, y, sub(g, 1, y)))),
  Tanh: unary((g, dy, _, y) => mul(g, dy, sub(g, 1, mul(g, y, y)))),
  Softplus: unary((g, dy, x) => mul(g, dy, g.op("Sigmoid", [x]))),
  Erf: unary((g, dy, x) => mul(g, dy, mul(g, exp(g, neg(g, mul(g, x, x))), 2 / Math.sqrt(Math.PI)))),
  Gelu: gelu,
  Expand: ({ g, node, dys }) => [unbroadcast(g, dys[0]!, node.inputs[0]!, node)],
  Floor: unary((g, _, x) => expandLike(g, g.floats(0), x)),
  Sign: unary((g, _, x) => expandLike(g, g.floats(0), x)),
};
