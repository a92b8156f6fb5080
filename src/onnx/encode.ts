import { SenseError } from "../core/errors.js";
import { ProtobufWriter } from "./protobuf.js";
import { dataTypes } from "./types.js";
import type { Attribute, Body, Model, Node, Value, Weight } from "./value.js";

// Field numbers are those of onnx.proto3 (IR version 8 and later); each function writes one message of it.

const attributeType = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const;

/** Attributes that ONNX or ONNX Runtime define as FLOAT, so that `alpha: 1` is not written as an INT. */
const floatNames = new Set(
  "epsilon alpha beta gamma scale mask_filter_value cubic_coeff_a extrapolation_value ratio momentum lambd softcap".split(
    " ",
  ),
);

function writeTensor(writer: ProtobufWriter, name: string, { type, dims, storage }: Weight): void {
  if (type === undefined) throw new SenseError("BAD_MODEL", `the weight ${name} has no type`);
  for (const dim of dims) writer.int(1, dim);
  writer.int(2, dataTypes[type].code);
  if (name !== "") writer.string(8, name);
  if (storage.kind === "bytes") {
    writer.bytes(9, storage.bytes);
  } else if (storage.kind === "file") {
    const entries = { location: storage.location, offset: String(storage.offset), length: String(storage.length) };
    for (const [key, value] of Object.entries(entries)) {
      writer.message(13, (entry) => entry.string(1, key).string(2, value));
    }
    writer.int(14, 1);
  }
}

function writeWeight(writer: ProtobufWriter, field: number, name: string, weight: Weight): void {
  if (weight.storage.kind === "opaque") writer.bytes(field, weight.storage.proto);
  else writer.message(field, (inner) => writeTensor(inner, name, weight));
}

function writeAttribute(writer: ProtobufWriter, name: string, attribute: Attribute): void {
  writer.string(1, name);
  if (typeof attribute === "bigint") {
    writer.int(3, attribute).int(20, attributeType.int);
  } else if (typeof attribute === "number") {
    if (floatNames.has(name) || !Number.isInteger(attribute)) writer.float(2, attribute).int(20, attributeType.float);
    else writer.int(3, attribute).int(20, attributeType.int);
  } else if (typeof attribute === "string") {
    writer.string(4, attribute).int(20, attributeType.string);
  } else if (Array.isArray(attribute)) {
    for (const value of attribute as readonly number[]) writer.int(8, value);
    writer.int(20, attributeType.ints);
  } else if ("float" in attribute) {
    writer.float(2, attribute.float).int(20, attributeType.float);
  } else if ("floats" in attribute) {
    for (const value of attribute.floats) writer.float(7, value);
    writer.int(20, attributeType.floats);
  } else if ("strings" in attribute) {
    for (const value of attribute.strings) writer.string(9, value);
    writer.int(20, attributeType.strings);
  } else if ("tensor" in attribute) {
    writeWeight(writer, 5, "", attribute.tensor);
    writer.int(20, attributeType.tensor);
  } else if ("graph" in attribute) {
    writer.message(6, (inner) => writeBody(inner, attribute.graph)).int(20, attributeType.graph);
  }
}

function writeNode(writer: ProtobufWriter, { op, domain, name, inputs, attributes, outputs }: Node): void {
  const names = inputs.map((input) => input?.name ?? "");
  for (const input of names) writer.string(1, input);
  for (const output of outputs) writer.string(2, output.name);
  writer.string(3, name).string(4, op);
  for (const [key, attribute] of Object.entries(attributes)) {
    if (typeof attribute === "object" && "opaque" in attribute) writer.bytes(5, attribute.opaque);
    else writer.message(5, (inner) => writeAttribute(inner, key, attribute));
  }
  if (domain !== "") writer.string(7, domain);
}

function writeValue(writer: ProtobufWriter, { name, type, shape }: Value): void {
  writer.string(1, name);
  if (type === undefined) return;
  writer.message(2, (typeProto) =>
    typeProto.message(1, (tensorType) => {
      tensorType.int(1, dataTypes[type].code);
      if (shape === undefined) return;
      tensorType.message(2, (shapeProto) => {
        for (const dim of shape) {
          shapeProto.message(1, (dimension) => {
            if (typeof dim === "number") dimension.int(1, dim);
            else if (dim !== "?") dimension.string(2, dim);
          });
        }
      });
    }),
  );
}

function writeBody(writer: ProtobufWriter, { name, inputs, weights, nodes, outputs }: Body): void {
  for (const node of nodes) writer.message(1, (inner) => writeNode(inner, node));
  writer.string(2, name);
  for (const value of weights) {
    if (value.source.kind === "weight") writeWeight(writer, 5, value.name, value.source.weight);
  }
  for (const value of inputs) writer.message(11, (inner) => writeValue(inner, value));
  for (const value of outputs) writer.message(12, (inner) => writeValue(inner, value));
}

/** The bytes of an .onnx file (ModelProto). Weights in other files are referred to, so a folder's location matters. */
export function encodeModel(graph: Model): Uint8Array {
  // IR 8 goes with opset 17, IR 10 with 21, IR 11 with 23 (onnx/docs/Versioning.md).
  const opset = graph.opsets.get("") ?? 17;
  const writer = new ProtobufWriter().int(1, opset >= 23 ? 11 : opset >= 21 ? 10 : 8).string(2, "sensebind");
  writer.message(7, (inner) => writeBody(inner, graph));
  for (const [domain, version] of graph.opsets) {
    writer.message(8, (inner) => {
      if (domain !== "") inner.string(1, domain);
      inner.int(2, version);
    });
  }
  for (const [key, value] of graph.metadata) writer.message(14, (inner) => inner.string(1, key).string(2, value));
  for (const proto of graph.functions) writer.bytes(25, proto);
  return writer.finish();
}
