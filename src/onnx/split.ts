import { sizeOf } from "../core/tensor.js";
import { dataTypes } from "./types.js";
import type { Model, Node, Value } from "./value.js";

interface Piece {
  readonly nodes: Node[];
  bytes: number;
}

const weightBytes = ({ source }: Value): number =>
  source.kind === "weight" && source.weight.type !== undefined
    ? sizeOf(source.weight.dims) * dataTypes[source.weight.type].bytes
    : 0;

const given = (node: Node): Value[] => node.inputs.filter((input) => input !== undefined);

/**
 * Cuts a graph into models that give the same when they are run one after the other, each with at most about `budget` bytes
 * of weights: how a large model is run in little memory. Values that cross a cut keep their names.
 */
export function split(model: Model, budget: number): Model[] {
  const pieces: Piece[] = [{ nodes: [], bytes: 0 }];
  let seen = new Set<Value>();
  for (const node of model.nodes) {
    const added = given(node).filter((value) => !seen.has(value));
    const bytes = added.reduce((sum, value) => sum + weightBytes(value), 0);
    const last = pieces.at(-1)!;
    if (last.bytes > 0 && last.bytes + bytes > budget && isCut(model, last.nodes, node)) {
      pieces.push({ nodes: [node], bytes });
      seen = new Set(given(node));
      continue;
    }
    last.nodes.push(node);
    last.bytes += bytes;
    for (const value of added) seen.add(value);
  }
  return pieces.map(({ nodes }) => pieceOf(model, nodes));
}

/**
 * The runtime wants to know types and ranks of its inputs, and integers are lengths, which it traces to the shape that they
 * come from: of those only the ones of known shape cross a cut.
 */
const mayCross = ({ type, shape }: Value): boolean =>
  type !== undefined &&
  shape !== undefined &&
  (type.startsWith("float") || shape.every((dim) => typeof dim === "number"));

function isCut(model: Model, before: readonly Node[], next: Node): boolean {
  const at = model.nodes.indexOf(next);
  const later = new Set(model.nodes.slice(at).flatMap(given));
  return before.every(({ outputs }) => outputs.every((value) => !later.has(value) || mayCross(value)));
}

function pieceOf(model: Model, nodes: readonly Node[]): Model {
  const inside = new Set<Value>(nodes.flatMap(({ outputs }) => outputs));
  const own = new Set(nodes);
  const elsewhere = new Set<Value>(model.nodes.filter((node) => !own.has(node)).flatMap(given));
  const used = [...new Set(nodes.flatMap(given))];
  const isWanted = (value: Value): boolean => model.outputs.includes(value) || elsewhere.has(value);
  return {
    opsets: model.opsets,
    metadata: model.metadata,
    functions: model.functions,
    name: model.name,
    nodes,
    weights: used.filter(({ source }) => source.kind === "weight"),
    inputs: used.filter((value) => value.source.kind !== "weight" && !inside.has(value)),
    outputs: [...inside].filter(isWanted),
  };
}
