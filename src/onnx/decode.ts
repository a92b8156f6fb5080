import { isSenseError, SenseError } from "../core/errors.js";
import { Graph } from "./graph.js";
import { type Field, fields, floatOf, numberOf, repeatedInts, textOf } from "./protobuf.js";
import { infer } from "./shape.js";
import type { Fact } from "./shape-rule.js";
import { bytesOf, type DataType, dataTypeOf, dataTypes } from "./types.js";
import type { Attribute, Dim, Node, Shape, Storage, Value, Weight } from "./value.js";

// Field numbers are those of onnx.proto3. Unknown fields are skipped; what the graph cannot express is carried as bytes.

function floatsOf(all: readonly Field[]): number[] {
  return all.flatMap((field) => {
    if (field.wire === 5) return [floatOf(field)];
    const view = new DataView(field.bytes.buffer, field.bytes.byteOffset, field.bytes.byteLength);
    return Array.from({ length: field.bytes.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
  });
}

/** int32_data holds every type up to 32 bits; each number becomes the bytes of its type. */
function narrow(type: DataType, values: readonly bigint[]): Uint8Array {
  const { bytes } = dataTypes[type];
  const out = new DataView(new ArrayBuffer(values.length * bytes));
  for (const [i, value] of values.entries()) {
    if (bytes === 1) out.setUint8(i, Number(BigInt.asUintN(8, value)));
    else if (bytes === 2) out.setUint16(2 * i, Number(BigInt.asUintN(16, value)), true);
    else if (bytes === 4) out.setUint32(4 * i, Number(BigInt.asUintN(32, value)), true);
    else out.setBigUint64(8 * i, BigInt.asUintN(64, value), true);
  }
  return bytesOf(out);
}

/** A TensorProto and its name. */
function readTensor(proto: Uint8Array, folder: string): { name: string; weight: Weight } {
  const all = [...fields(proto)];
  const of = (number: number): Field[] => all.filter((field) => field.number === number);
  const dims = of(1).flatMap(repeatedInts).map(Number);
  const [code] = of(2);
  const type = code === undefined ? undefined : dataTypeOf(numberOf(code));
  const [nameField] = of(8);
  const name = nameField === undefined ? "" : textOf(nameField);
  const entries = new Map(
    of(13).map(({ bytes }) => {
      const inner = [...fields(bytes)];
      const part = (number: number): string =>
        inner
          .filter((f) => f.number === number)
          .map(textOf)
          .join("");
      return [part(1), part(2)];
    }),
  );
  const [raw] = of(9);
  const [doubles] = of(10);
  const location = entries.get("location");
  const size = dims.reduce((n, d) => n * d, 1);
  let storage: Storage;
  if (type === undefined || type === "string") storage = { kind: "opaque", proto };
  else if (location !== undefined) {
    const length = Number(entries.get("length") ?? size * dataTypes[type].bytes);
    storage = { kind: "file", location, offset: Number(entries.get("offset") ?? 0), length, folder };
  } else if (raw !== undefined) storage = { kind: "bytes", bytes: raw.bytes };
  else if (type === "float32") storage = { kind: "bytes", bytes: bytesOf(Float32Array.from(floatsOf(of(4)))) };
  else if (doubles !== undefined) storage = { kind: "opaque", proto };
  else storage = { kind: "bytes", bytes: narrow(type, [...of(5), ...of(7), ...of(11)].flatMap(repeatedInts)) };
  if (storage.kind === "bytes" && type !== undefined && storage.bytes.byteLength !== size * dataTypes[type].bytes) {
    throw new SenseError(
      "BAD_MODEL",
      `the weight ${name} of shape [${dims.join(", ")}] has ${storage.bytes.byteLength} bytes`,
    );
  }
  return { name, weight: { type, dims, storage } };
}

function readAttribute(proto: Uint8Array, scope: Scope): [string, Attribute] {
  const all = [...fields(proto)];
  const of = (number: number): Field[] => all.filter((field) => field.number === number);
  const name = of(1).map(textOf).join("");
  const kind = of(20).map(numberOf)[0];
  const wide = (value: bigint): number | bigint =>
    value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  switch (kind) {
    case 1:
      return [name, { float: of(2).map(floatOf)[0] ?? 0 }];
    case 2:
      return [name, of(3).map(({ int }) => wide(BigInt.asIntN(64, int)))[0] ?? 0];
    case 3:
      return [name, of(4).map(textOf).join("")];
    case 4:
      return [name, { tensor: readTensor(of(5)[0]!.bytes, scope.folder).weight }];
    case 5:
      return [name, { graph: readBody(of(6)[0]!.bytes, new Graph({}, scope.graph), scope) }];
    case 6:
      return [name, { floats: floatsOf(of(7)) }];
    case 7:
      return [name, of(8).flatMap(repeatedInts).map(Number)];
    case 8:
      return [name, { strings: of(9).map(textOf) }];
    default:
      return [name, { opaque: proto }];
  }
}

function readDim(dim: Uint8Array): Dim {
  for (const field of fields(dim)) {
    if (field.number === 1) return numberOf(field);
    if (field.number === 2) return textOf(field) || "?";
  }
  return "?";
}

interface ValueInfo {
  readonly name: string;
  readonly type: DataType | undefined;
  readonly shape: Shape | undefined;
}

function readValueInfo(proto: Uint8Array): ValueInfo {
  let [name, type, shape]: [string, DataType | undefined, Shape | undefined] = ["", undefined, undefined];
  for (const field of fields(proto)) {
    if (field.number === 1) name = textOf(field);
    if (field.number !== 2) continue;
    for (const kind of fields(field.bytes)) {
      if (kind.number !== 1) continue;
      for (const part of fields(kind.bytes)) {
        if (part.number === 1) type = dataTypeOf(numberOf(part));
        if (part.number === 2)
          shape = [...fields(part.bytes)].filter((f) => f.number === 1).map((f) => readDim(f.bytes));
      }
    }
  }
  return { name, type, shape };
}

/** What is visible while a graph is read: its values by name, and those of the graphs around it. */
interface Scope {
  readonly graph: Graph;
  readonly folder: string;
  readonly values: ReadonlyMap<string, Value>;
}

/** A file's own shapes may contradict themselves in ways that a runtime tolerates; then nothing is known. */
function inferKindly(node: Node, outputs: number): readonly Fact[] {
  try {
    return infer(node, outputs);
  } catch (error) {
    if (!isSenseError(error, "MODEL_MISMATCH")) throw error;
    return [];
  }
}

function readNode(proto: Uint8Array, scope: Scope, infos: ReadonlyMap<string, ValueInfo>): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const text = { 3: "", 4: "", 7: "" };
  const attributes: [string, Attribute][] = [];
  for (const field of fields(proto)) {
    if (field.number === 1) inputs.push(textOf(field));
    else if (field.number === 2) outputs.push(textOf(field));
    else if (field.number === 3 || field.number === 4 || field.number === 7) text[field.number] = textOf(field);
    else if (field.number === 5) attributes.push(readAttribute(field.bytes, scope));
  }
  const resolve = (name: string): Value | undefined => {
    if (name === "") return undefined;
    const value = scope.values.get(name);
    if (value === undefined)
      throw new SenseError("BAD_MODEL", `${text[4]} (${text[3]}) uses ${name}, which nothing made`);
    return value;
  };
  const made: Value[] = [];
  const node: Node = {
    op: text[4],
    domain: text[7] === "ai.onnx" ? "" : text[7],
    name: text[3],
    inputs: inputs.map(resolve),
    attributes: Object.fromEntries(attributes),
    outputs: made,
  };
  const inferred = inferKindly(node, outputs.length);
  for (const [index, name] of outputs.entries()) {
    const { type, shape } = { ...inferred[index], ...infos.get(name) };
    made.push({ name, type, shape, source: { kind: "node", node, index } });
  }
  return node;
}

function readBody(proto: Uint8Array, graph: Graph, outer: Omit<Scope, "graph">): Graph {
  const all = [...fields(proto)];
  const of = (number: number): Field[] => all.filter((field) => field.number === number);
  if (of(15).length > 0) throw new SenseError("BAD_MODEL", "the graph has sparse weights, which are not supported");
  const values = new Map(outer.values);
  const scope: Scope = { graph, folder: outer.folder, values };
  const tensors = of(5).map(({ bytes }) => readTensor(bytes, outer.folder));
  const stored = new Set(tensors.map(({ name }) => name));
  const outputs = of(12).map(({ bytes }) => readValueInfo(bytes));
  const infos = new Map(
    [...of(13).map(({ bytes }) => readValueInfo(bytes)), ...outputs].map((info) => [info.name, info]),
  );
  for (const { name, weight } of tensors) values.set(name, graph.stored(name, weight));
  for (const info of of(11).map(({ bytes }) => readValueInfo(bytes))) {
    // Up to IR version 3 every weight is listed as an input too.
    if (stored.has(info.name)) continue;
    const value: Value = { ...info, name: graph.fresh(info.name), source: { kind: "input" } };
    graph.inputs.push(value);
    values.set(info.name, value);
  }
  for (const { bytes } of of(1)) {
    const node = readNode(bytes, scope, infos);
    graph.adopt(node);
    for (const value of node.outputs) {
      if (value.name === "") continue;
      values.set(value.name, value);
      // The branches of an If may use the same names.
      value.name = graph.fresh(value.name);
    }
  }
  for (const { name } of outputs) {
    const value = values.get(name);
    if (value === undefined) throw new SenseError("BAD_MODEL", `nothing in the graph makes its output ${name}`);
    graph.outputs.push(value);
  }
  return graph;
}

/**
 * Reads an .onnx file (ModelProto) into a graph that can be changed and written again. `folder` is where its external data
 * lies. Throws `BAD_MODEL` for bytes that are not a model.
 */
export function decodeModel(bytes: Uint8Array, folder = "."): Graph {
  const all = [...fields(bytes)];
  const body = all.find(({ number }) => number === 7);
  if (body === undefined) {
    throw new SenseError("BAD_MODEL", `these ${bytes.byteLength} bytes hold no ONNX graph`, {
      hint: "Give an .onnx file; of a model in Git LFS, get the file itself: git lfs pull.",
    });
  }
  const graph = new Graph({ name: "imported" });
  for (const field of all) {
    const parts = field.wire === 2 && [8, 14].includes(field.number) ? [...fields(field.bytes)] : [];
    const part = (number: number): Field | undefined => parts.find((inner) => inner.number === number);
    const text = (number: number): string => {
      const found = part(number);
      return found === undefined ? "" : textOf(found);
    };
    if (field.number === 8) {
      const version = part(2);
      graph.opsets.set(text(1) === "ai.onnx" ? "" : text(1), version === undefined ? 1 : numberOf(version));
    } else if (field.number === 14) graph.metadata.set(text(1), text(2));
    else if (field.number === 25) graph.functions.push(field.bytes);
  }
  return readBody(body.bytes, graph, { folder, values: new Map() });
}
