import { SenseError } from "../../core/errors.js";
import { add, expandLike } from "../arithmetic.js";
import { type Graph, reachable } from "../graph.js";
import type { Node, Value } from "../value.js";
import { attentionRules } from "./attention.js";
import { convolutionRules } from "./convolution.js";
import { elementwiseRules } from "./elementwise.js";
import { matrixRules } from "./matrix.js";
import { normalizationRules } from "./normalization.js";
import { poolingRules } from "./pooling.js";
import { reductionRules } from "./reduction.js";
import type { GradientRule } from "./rule.js";
import { shapeRules } from "./shaping.js";

/** One table, operator to rule; operators of ONNX Runtime's own domain are there under their bare names. */
const rules: ReadonlyMap<string, GradientRule> = new Map(
  Object.entries({
    ...elementwiseRules,
    ...reductionRules,
    ...matrixRules,
    ...shapeRules,
    ...normalizationRules,
    ...convolutionRules,
    ...poolingRules,
    ...attentionRules,
  }),
);

/** Names of the operators that have a gradient. */
export const differentiable: readonly string[] = [...rules.keys()].sort();

/**
 * Adds to `g` the nodes that compute d`of`/d`w` for each `w` of `wrt`, by reverse-mode differentiation, and gives those values,
 * each of the shape of its `w`. `of` is a scalar, or is summed. A `w` that `of` does not depend on has the gradient zero.
 * Throws `BAD_MODEL` with the operator's name where no rule exists or a shape must be known and is not.
 */
export function gradients(g: Graph, of: Value, wrt: readonly Value[]): Value[] {
  const { nodes } = reachable([of]);
  const active = new Set<Value>(wrt);
  const tape: Node[] = [];
  for (const node of g.nodes) {
    if (!nodes.has(node) || !node.inputs.some((input) => input !== undefined && active.has(input))) continue;
    tape.push(node);
    for (const output of node.outputs) if (isContinuous(output)) active.add(output);
  }
  const parts = new Map<Value, Value>([[of, expandLike(g, g.floats(1), of)]]);
  for (const node of tape.reverse()) {
    const dys = node.outputs.map((output) => parts.get(output));
    if (dys.every((dy) => dy === undefined)) continue;
    const needs = node.inputs.map((input) => input !== undefined && active.has(input));
    const made = ruleOf(node)({ g, node, dys, needs });
    for (const [i, input] of node.inputs.entries()) {
      const part = needs[i] ? made[i] : undefined;
      if (input === undefined || part === undefined) continue;
      const before = parts.get(input);
      parts.set(input, before === undefined ? part : add(g, before, part));
    }
  }
  return wrt.map((value) => parts.get(value) ?? expandLike(g, g.floats(0), value));
}

/** Truth values and indices have no slope: what is made of them is constant, as in torch. */
const isContinuous = ({ type }: Value): boolean => type === undefined || type.includes("float");

function ruleOf({ op, name }: Node): GradientRule {
  const rule = rules.get(op);
  if (rule !== undefined) return rule;
  throw new SenseError("BAD_MODEL", `${op} (${name}) has no gradient rule`, {
    hint: `Operators with one: ${differentiable.join(", ")}.`,
  });
}
