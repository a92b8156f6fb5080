import { SenseError } from "../core/errors.js";
import { type Tensor, tensor } from "../core/tensor.js";
import { infer } from "./shape.js";
import { bytesOf, type DataType, typeOfArray } from "./types.js";
import type { Attributes, Body, Model, Node, Shape, Value, Weight } from "./value.js";

export interface NodeOptions {
  /** `com.microsoft` for ONNX Runtime's own operators. */
  readonly domain?: string;
  readonly name?: string;
}

export interface GraphOptions {
  readonly name?: string;
  /** Version of ONNX's operators; ONNX Runtime 1.30 knows 17 to 26. */
  readonly opset?: number;
}

/** An ONNX graph under construction, or one that was read from a file. Its values remember how they were made. */
export class Graph implements Model {
  readonly name: string;
  readonly inputs: Value[] = [];
  readonly weights: Value[] = [];
  readonly nodes: Node[] = [];
  readonly outputs: Value[] = [];
  /** Versions by domain; the empty name is ONNX's own. */
  readonly opsets: Map<string, number>;
  readonly metadata = new Map<string, string>();
  /** Model-local functions, carried over as they were. */
  readonly functions: Uint8Array[] = [];
  readonly #names: Set<string>;
  readonly #nodeNames: Set<string>;

  constructor({ name = "sensebind", opset = 17 }: GraphOptions = {}, outer?: Graph) {
    this.name = name;
    this.opsets = outer?.opsets ?? new Map([["", opset]]);
    this.#names = outer === undefined ? new Set() : outer.#names;
    this.#nodeNames = outer === undefined ? new Set() : outer.#nodeNames;
  }

  /** A name that no value of this graph or its bodies has yet. */
  fresh(base: string): string {
    return unused(this.#names, base);
  }

  /** Adds a node that was read from a file. */
  adopt(node: Node): void {
    this.nodes.push(node);
    this.#nodeNames.add(node.name);
  }

  input(name: string, type: DataType, shape?: Shape): Value {
    this.#claim(name);
    const value: Value = { name, type, shape, source: { kind: "input" } };
    this.inputs.push(value);
    return value;
  }

  /** A weight from a tensor; `type` is taken from the array unless given (a Uint16Array holds float16 bits). */
  weight(name: string, { dims, data }: Tensor, type: DataType = typeOfArray(data)): Value {
    return this.stored(name, { type, dims, storage: { kind: "bytes", bytes: bytesOf(data) } });
  }

  /** A weight whose bytes are in another file, or already encoded. */
  stored(name: string, weight: Weight): Value {
    const value: Value = {
      name: this.fresh(name),
      type: weight.type,
      shape: weight.dims,
      source: { kind: "weight", weight },
    };
    this.weights.push(value);
    return value;
  }

  /** A float32 constant, a scalar if a number is given. */
  floats(values: number | readonly number[], name = "c"): Value {
    const data = Float32Array.from(typeof values === "number" ? [values] : values);
    return this.weight(name, tensor(typeof values === "number" ? [] : [data.length], data));
  }

  /** An int64 constant, a scalar if a number is given: shapes, axes, indices. */
  ints(values: number | readonly number[], name = "i"): Value {
    const data = BigInt64Array.from((typeof values === "number" ? [values] : values).map(BigInt));
    return this.weight(name, tensor(typeof values === "number" ? [] : [data.length], data));
  }

  /** Adds a node with one output. Throws `MODEL_MISMATCH` where shapes are known and do not fit. */
  op(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes = {},
    options: NodeOptions = {},
  ): Value {
    return this.ops(op, inputs, attributes, { ...options, outputs: 1 })[0]!;
  }

  /** Adds a node with several outputs. */
  ops(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes,
    { domain = "", name = op, outputs }: NodeOptions & { readonly outputs: number },
  ): Value[] {
    if (domain !== "" && !this.opsets.has(domain)) this.opsets.set(domain, 1);
    const made: Value[] = [];
    const node: Node = {
      op,
      domain,
      name: unused(this.#nodeNames, name),
      inputs: [...inputs],
      attributes,
      outputs: made,
    };
    const facts = infer(node, outputs);
    for (let index = 0; index < outputs; index++) {
      const { type, shape } = facts[index] ?? {};
      made.push({ name: this.fresh(name), type, shape, source: { kind: "node", node, index } });
    }
    this.nodes.push(node);
    return made;
  }

  /** A body for Loop, Scan or If: it may use this graph's values, and its names do not clash with them. */
  body(name: string, build: (body: Graph) => void): Body {
    const body = new Graph({ name }, this);
    build(body);
    return body;
  }

  /** Makes a value an output of the graph under this name. */
  output(name: string, value: Value): Value {
    const taken = value.source.kind !== "node" || this.outputs.includes(value);
    const out = taken ? this.op("Identity", [value]) : value;
    this.#names.delete(out.name);
    this.#claim(name);
    out.name = name;
    this.outputs.push(out);
    return out;
  }

  /** An input of a body: a Scan or Loop passes them by place, so the name is a free one. */
  argument(type: DataType, shape?: Shape): Value {
    const value: Value = { name: this.fresh("a"), type, shape, source: { kind: "input" } };
    this.inputs.push(value);
    return value;
  }

  /** An output of a body, under a free name. What the body did not make itself, or gives twice, is copied. */
  result(value: Value): void {
    const isOwn = value.source.kind === "node" && this.nodes.includes(value.source.node);
    this.outputs.push(isOwn && !this.outputs.includes(value) ? value : this.op("Identity", [value]));
  }

  /** The input, weight or node output of that name. Throws `BAD_MODEL` where there is none. */
  find(name: string): Value {
    const made = this.nodes.flatMap(({ outputs }) => outputs);
    const value = [...this.inputs, ...this.weights, ...made].find((candidate) => candidate.name === name);
    if (value !== undefined) return value;
    throw new SenseError("BAD_MODEL", `the graph ${this.name} has no value ${name}`);
  }

  /** Drops outputs by name, then every node and weight that no other output needs. */
  removeOutputs(names: readonly string[]): void {
    const kept = this.outputs.filter(({ name }) => !names.includes(name));
    this.outputs.splice(0, this.outputs.length, ...kept);
    this.prune();
  }

  /**
   * Visits every node in order and lets `visit` put others in its place: those that it adds, giving what the node's outputs
   * become. A node for which it gives nothing stays.
   */
  async rewrite(visit: (node: Node) => Promise<readonly Value[] | undefined>): Promise<void> {
    const became = new Map<Value, Value>();
    for (const node of this.nodes.splice(0)) {
      substitute(node, became);
      const made = await visit(node);
      if (made === undefined) this.nodes.push(node);
      for (const [i, value] of made?.entries() ?? []) became.set(node.outputs[i]!, value);
    }
    for (const [i, value] of this.outputs.entries()) {
      const now = became.get(value);
      if (now === undefined) continue;
      now.name = value.name;
      this.outputs[i] = now;
    }
    this.prune();
  }

  /** Drops the nodes and weights that no output needs. */
  prune(): void {
    const { nodes, values } = reachable(this.outputs);
    this.nodes.splice(0, this.nodes.length, ...this.nodes.filter((node) => nodes.has(node)));
    this.weights.splice(0, this.weights.length, ...this.weights.filter((value) => values.has(value)));
  }

  #claim(name: string): void {
    if (this.#names.has(name)) throw new SenseError("BAD_MODEL", `the graph already has a value named ${name}`);
    this.#names.add(name);
  }
}

/** Exchanges the values that a node uses, inside its bodies too. */
function substitute(node: Node, became: ReadonlyMap<Value, Value>): void {
  for (const [i, input] of node.inputs.entries()) {
    if (input !== undefined) node.inputs[i] = became.get(input) ?? input;
  }
  for (const attribute of Object.values(node.attributes)) {
    if (typeof attribute !== "object" || !("graph" in attribute)) continue;
    for (const inner of attribute.graph.nodes) substitute(inner, became);
  }
}

function unused(names: Set<string>, base: string): string {
  let name = base;
  for (let i = 1; names.has(name); i++) name = `${base}_${i}`;
  names.add(name);
  return name;
}

/** An empty graph. */
export const graph = (options?: GraphOptions): Graph => new Graph(options);

/** Everything that the values were made from, bodies included. */
export function reachable(from: readonly Value[]): { nodes: ReadonlySet<Node>; values: ReadonlySet<Value> } {
  const nodes = new Set<Node>();
  const values = new Set<Value>();
  const rest = [...from];
  for (let value = rest.pop(); value !== undefined; value = rest.pop()) {
    if (values.has(value)) continue;
    values.add(value);
    if (value.source.kind !== "node" || nodes.has(value.source.node)) continue;
    const { node } = value.source;
    nodes.add(node);
    rest.push(...node.inputs.filter((input) => input !== undefined));
    for (const attribute of Object.values(node.attributes)) {
      if (typeof attribute !== "object" || !("graph" in attribute)) continue;
      rest.push(...attribute.graph.outputs, ...attribute.graph.nodes.flatMap(({ outputs }) => outputs));
    }
  }
  return { nodes, values };
}
