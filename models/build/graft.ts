import type { Graph } from "../../src/onnx/graph.js";
import type { Value } from "../../src/onnx/value.js";

/** Copies the part of `source` between the values in `given` and `wanted` into `g`, and returns the copy of `wanted`. */
export function graft(g: Graph, source: Graph, given: ReadonlyMap<Value, Value>, wanted: Value): Value {
  const copies = new Map<Value, Value>(given);
  const needed = new Set<Value>();
  const rest = [wanted];
  for (let value = rest.pop(); value; value = rest.pop()) {
    if (needed.has(value) || copies.has(value)) continue;
    needed.add(value);
    if (value.source.kind === "node") rest.push(...value.source.node.inputs.filter((input) => input !== undefined));
  }
  for (const value of source.weights)
    if (needed.has(value) && value.source.kind === "weight")
      copies.set(value, g.stored(value.name, value.source.weight));
  for (const { op, domain, inputs, attributes, outputs, name } of source.nodes) {
    if (!outputs.some((output) => needed.has(output))) continue;
    const taken = inputs.map((input) => (input === undefined ? undefined : copies.get(input)));
    const made = g.ops(op, taken, attributes, { domain, name, outputs: outputs.length });
    for (const [i, output] of outputs.entries()) copies.set(output, made[i]!);
  }
  return copies.get(wanted)!;
}
