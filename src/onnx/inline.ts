import { SenseError } from "../core/errors.js";
import { intsOf } from "./attributes.js";
import type { Graph } from "./graph.js";
import type { Attributes, Body, Node, Value } from "./value.js";

/** What takes a node's place; the node itself is copied where it gives nothing. `inputs` are values of the new graph. */
export type Replace = (g: Graph, node: Node, inputs: readonly (Value | undefined)[]) => Value | undefined;

/**
 * Copies a graph into another: its inputs become the values given, by place or by name, and its outputs are returned by name. Shapes
 * are inferred anew, so that a free batch becomes the one of the values given. Throws `BAD_MODEL` for loops and branches.
 */
export function inline(
  g: Graph,
  model: Body,
  given: Readonly<Record<string, Value>>,
  replace: Replace = () => undefined,
): Readonly<Record<string, Value>> {
  const became = new Map<Value, Value>();
  for (const input of model.inputs) {
    const value = given[input.name];
    if (value !== undefined) became.set(input, value);
  }
  const copy = (value: Value | undefined): Value | undefined => {
    if (value === undefined) return undefined;
    const known = became.get(value);
    if (known !== undefined) return known;
    if (value.source.kind !== "weight") {
      throw new SenseError("BAD_MODEL", `the graph ${model.name} takes ${value.name}, which was not given`);
    }
    const made = g.stored(value.name, value.source.weight);
    became.set(value, made);
    return made;
  };
  for (const node of model.nodes) {
    if (Object.values(node.attributes).some((value) => typeof value === "object" && "graph" in value)) {
      throw new SenseError("BAD_MODEL", `${node.op} (${node.name}) holds a graph of its own and cannot be copied`);
    }
    const inputs = node.inputs.map(copy);
    const changed = replace(g, node, inputs);
    if (changed !== undefined) {
      became.set(node.outputs[0]!, changed);
      continue;
    }
    const { domain, name, outputs } = node;
    const form = modern(g, node, inputs);
    const made = g.ops(node.op, form.inputs, form.attributes, { domain, name, outputs: outputs.length });
    for (const [i, output] of outputs.entries()) became.set(output, made[i]!);
  }
  return Object.fromEntries(model.outputs.map((output) => [output.name, copy(output)!]));
}

const reductions = /^Reduce(Mean|Max|Min|L1|L2|Prod|SumSquare|LogSumExp|LogSum)$/;

/** From opset 18 on, reductions take their axes as an input, and Split must be told the number of its parts. */
function modern(
  g: Graph,
  { op, attributes, outputs }: Node,
  inputs: readonly (Value | undefined)[],
): { inputs: readonly (Value | undefined)[]; attributes: Attributes } {
  if ((g.opsets.get("") ?? 0) < 18) return { inputs, attributes };
  const axes = intsOf(attributes, "axes");
  if (reductions.test(op) && axes !== undefined) {
    const { axes: _, ...rest } = attributes;
    return { inputs: [inputs[0], g.ints(axes)], attributes: rest };
  }
  if (op === "Split" && inputs[1] === undefined && attributes.num_outputs === undefined) {
    return { inputs, attributes: { ...attributes, num_outputs: outputs.length } };
  }
  return { inputs, attributes };
}
