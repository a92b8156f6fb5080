import { SenseError } from "../../core/errors.js";
import { isKnown, reshapeLike, sum } from "../arithmetic.js";
import type { Graph } from "../graph.js";
import { infer } from "../shape.js";
import { shapeText } from "../shape-rule.js";
import type { Node, Value } from "../value.js";

export interface Backward {
  readonly g: Graph;
  readonly node: Node;
  /** Gradient of each output; `undefined` where nothing came back through it. */
  readonly dys: readonly (Value | undefined)[];
  /** Which inputs' gradients are wanted. */
  readonly needs: readonly boolean[];
}

/** Gradients of a node's inputs from those of its outputs; `undefined` for one that is not wanted or has none. */
export type GradientRule = (backward: Backward) => readonly (Value | undefined)[];

/** Sums a gradient over the axes along which an input was repeated by numpy's broadcasting. */
export function unbroadcast(g: Graph, dy: Value, input: Value, node: Node): Value {
  const [from, to] = [dy.shape, input.shape];
  if (from === undefined || to === undefined) throw unknownShape(node);
  if (to.length === from.length && to.every((dim, i) => dim === from[i] && dim !== "?")) return dy;
  const lead = from.length - to.length;
  const axes = from.flatMap((dim, i) => {
    const own = i < lead ? 1 : to[i - lead]!;
    if (own === 1) return dim === 1 && i >= lead ? [] : [i];
    if (own !== dim || own === "?") throw unknownShape(node);
    return [];
  });
  const summed = sum(g, dy, axes);
  return lead === 0 ? summed : reshapeLike(g, summed, input);
}

export const unknownShape = ({ op, name, inputs }: Node): SenseError =>
  new SenseError(
    "BAD_MODEL",
    `the gradient of ${op} (${name}) needs shapes that are not known: ${inputs.map((v) => (v?.shape ? shapeText(v.shape) : "?")).join(", ")}`,
    { hint: "Give the graph's inputs their lengths, the batch too." },
  );

/** The lengths of a value, each known. */
export function dimsOf(value: Value | undefined, node: Node): readonly number[] {
  if (isKnown(value?.shape)) return value.shape;
  throw unknownShape(node);
}

/** A node's outputs, those too that it can give and was not asked for; `names` are those after the first. */
export function allOutputs(g: Graph, node: Node, names: readonly string[]): readonly Value[] {
  const outputs = node.outputs as Value[];
  const facts = infer(node, names.length + 1);
  for (let index = outputs.length; index <= names.length; index++) {
    const { type, shape } = facts[index] ?? {};
    outputs.push({
      name: g.fresh(`${node.name}_${names[index - 1]}`),
      type,
      shape,
      source: { kind: "node", node, index },
    });
  }
  return outputs;
}

export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
