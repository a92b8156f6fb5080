import { dataTypes } from "../onnx/types.js";
import type { Body, Node, Value } from "../onnx/value.js";

/** What a run of a graph holds, in bytes. */
export interface Footprint {
  /** Weights that are stored in the graph. */
  readonly weights: number;
  /** The largest set of tensors that are needed at once, as the nodes run in their order. */
  readonly peak: number;
}

/** What one run of a graph holds; `rows` stands for lengths that only a run knows. */
export const footprintOf = (body: Body, rows = 1): Footprint => walked(body, { rows, sizes: new Map() });

interface Walk {
  readonly rows: number;
  /** Bytes of every tensor so far. */
  readonly sizes: Map<Value, number>;
}

function walked(body: Body, walk: Walk): Footprint {
  const { sizes } = walk;
  const ends = lastUses(body);
  let weights = 0;
  for (const value of body.weights) weights += remember(value, walk);
  let alive = 0;
  for (const value of body.inputs) alive += remember(value, walk);
  const own = new Set(body.inputs);
  let peak = alive;
  for (const [at, node] of body.nodes.entries()) {
    const inner = bodiesOf(node).map((nested) => walked(nested, walk));
    for (const [i, value] of node.outputs.entries()) {
      own.add(value);
      alive += remember(value, walk, () => repeated(node, i, walk));
    }
    for (const nested of inner) weights += nested.weights;
    peak = Math.max(peak, alive + Math.max(0, ...inner.map((nested) => nested.peak)));
    for (const value of ends.get(at) ?? []) if (own.has(value)) alive -= sizes.get(value)!;
  }
  return { weights, peak };
}

/** By place of a node, the tensors that nothing behind it needs. */
function lastUses({ nodes, outputs }: Body): ReadonlyMap<number, readonly Value[]> {
  const last = new Map<Value, number>();
  for (const [at, node] of nodes.entries()) for (const value of [...node.outputs, ...usedBy(node)]) last.set(value, at);
  for (const value of outputs) last.delete(value);
  const ends = new Map<number, Value[]>();
  for (const [value, at] of last) {
    const here = ends.get(at);
    if (here) here.push(value);
    else ends.set(at, [value]);
  }
  return ends;
}

const bodiesOf = ({ attributes }: Node): Body[] =>
  Object.values(attributes).flatMap((value) => (typeof value === "object" && "graph" in value ? [value.graph] : []));

/** Everything that a node reads, inside its bodies too. */
function usedBy(node: Node): Value[] {
  const used = node.inputs.filter((value) => value !== undefined);
  return [...used, ...bodiesOf(node).flatMap(({ nodes }) => nodes.flatMap(usedBy))];
}

function remember(value: Value, { rows, sizes }: Walk, unless: () => number = () => 0): number {
  const { type = "float32", shape } = value;
  const bytes = shape?.reduce<number>(
    (size, dim) => size * (typeof dim === "number" ? dim : rows),
    dataTypes[type].bytes,
  );
  sizes.set(value, bytes ?? unless());
  return sizes.get(value)!;
}

/** What a Scan gives, whose shapes no rule infers: states as its body has them, all else once for each round. */
function repeated({ inputs, attributes, outputs }: Node, index: number, { sizes, rows }: Walk): number {
  const [body] = bodiesOf({ inputs, attributes, outputs } as Node);
  const given = body?.outputs[index];
  if (given === undefined) return Math.max(0, ...inputs.map((value) => (value && sizes.get(value)) ?? 0));
  const states = inputs.length - Number(attributes.num_scan_inputs ?? 0);
  const rounds = inputs.at(-1)?.shape?.[0] ?? 1;
  return sizes.get(given)! * (index < states ? 1 : typeof rounds === "number" ? rounds : rows);
}
