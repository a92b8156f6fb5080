import { intOf } from "./attributes.js";
import { arrayOf } from "./types.js";
import type { Node, Value, Weight } from "./value.js";

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

/**
 * The integers of a constant, or of a shape that is known and what is cut from it and put together again: `undefined` for anything
 * that only a run knows.
 */
export function constantInts(value: Value | undefined): readonly number[] | undefined {
  const type = constantOf(value)?.type;
  if (type !== undefined) return type === "int64" || type === "int32" ? constantNumbers(value) : undefined;
  return value?.source.kind === "node" ? folded(value.source.node) : undefined;
}

function folded({ op, inputs, attributes }: Node): readonly number[] | undefined {
  const [first, ...rest] = inputs;
  switch (op) {
    case "Shape": {
      const isWhole = attributes.start === undefined && attributes.end === undefined;
      const dims = first?.shape?.filter((dim) => typeof dim === "number");
      return isWhole && dims !== undefined && dims.length === first?.shape?.length ? dims : undefined;
    }
    case "Slice":
      return sliced(first, rest);
    case "Gather": {
      const [all, picked] = [constantInts(first), constantInts(rest[0])];
      if (all === undefined || picked === undefined || intOf(attributes, "axis", 0) !== 0) return undefined;
      return picked.map((i) => all.at(i)!);
    }
    case "Concat": {
      const parts = inputs.map(constantInts);
      return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
    }
    case "Unsqueeze":
    case "Squeeze":
    case "Identity":
      return constantInts(first);
    default:
      return undefined;
  }
}

function sliced(x: Value | undefined, rest: readonly (Value | undefined)[]): readonly number[] | undefined {
  const [starts, ends, , steps] = rest;
  const [all, from, to] = [constantInts(x), constantInts(starts), constantInts(ends)];
  if (all === undefined || from?.length !== 1 || to?.length !== 1 || steps !== undefined) return undefined;
  return all.slice(from[0]!, to[0]!);
}
