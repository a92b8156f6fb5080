import { arrayOf } from "./types.js";
import type { Value, Weight } from "./value.js";

/** The weight behind a value: an initialiser, or the tensor of a Constant node. */
export function constantOf(value: Value | undefined): Weight | undefined {
  if (value?.source.kind === "weight") return value.source.weight;
  if (value?.source.kind !== "node" || value.source.node.op !== "Constant") return undefined;
  const attribute = value.source.node.attributes.value;
  return typeof attribute === "object" && "tensor" in attribute ? attribute.tensor : undefined;
}

/** The numbers of a small constant that is in memory: axes, a shape, an exponent. */
export function constantNumbers(value: Value | undefined): readonly number[] | undefined {
  const weight = constantOf(value);
  if (weight?.type === undefined || weight.storage.kind !== "bytes") return undefined;
  if (weight.type === "string" || weight.type.endsWith("64") !== (weight.type === "int64")) return undefined;
  return Array.from(arrayOf(weight.type, weight.storage.bytes), Number);
}

/** The integers of a constant: `undefined` for anything that only a run knows. */
export function constantInts(value: Value | undefined): readonly number[] | undefined {
  const type = constantOf(value)?.type;
  return type === "int64" || type === "int32" ? constantNumbers(value) : undefined;
}
