import { SenseError } from "../core/errors.js";
import { type Tensor, type TensorData, tensor } from "../core/tensor.js";
import type { Dimension, Feeds } from "./runtime.js";

/** Element types of ONNX that a tensor of ours can hold; float16 as its 16 bits. */
export type ElementType = "float32" | "float16" | "uint8" | "int8" | "uint16" | "int16" | "int32" | "int64" | "bool";

/** One input of a graph as the model declares it. */
export interface GraphInput {
  readonly name: string;
  readonly type: ElementType;
  /** Empty where the model does not say. */
  readonly dims: readonly Dimension[];
}

/** The array that holds elements of each type. */
export const arrays = {
  float32: Float32Array,
  float16: Uint16Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const;

export const isElementType = (type: string): type is ElementType => type in arrays;

/** Refuses feeds that do not fit the graph, before a native library sees them. Throws `MODEL_MISMATCH`, `BAD_TENSOR`. */
export function checkFeeds(inputs: readonly GraphInput[], feeds: Feeds, path: string): void {
  for (const { name, type, dims } of inputs) {
    const given = feeds[name];
    if (given === undefined) {
      throw new SenseError("MODEL_MISMATCH", `${path} needs the input "${name}", given are ${listOf(feeds)}`, {
        hint: "The recipe of a tower names the inputs of its first graph.",
      });
    }
    tensor(given.dims, given.data);
    if (!(given.data instanceof arrays[type])) {
      throw new SenseError("MODEL_MISMATCH", `input "${name}" of ${path} is ${type}, given is ${elementOf(given)}`, {
        hint: "Make the tensor with `sensebind preprocess` of the same bundle.",
      });
    }
    if (dims.length > 0 && !fits(dims, given.dims)) {
      throw new SenseError(
        "MODEL_MISMATCH",
        `input "${name}" of ${path} has shape ${shape(dims)}, given is ${shape(given.dims)}`,
        { hint: "Make the tensor with `sensebind preprocess` of the same bundle." },
      );
    }
  }
}

function fits(wanted: readonly Dimension[], given: readonly number[]): boolean {
  return wanted.length === given.length && wanted.every((dim, axis) => typeof dim === "string" || dim === given[axis]);
}

const shape = (dims: readonly Dimension[]): string => `[${dims.join(", ")}]`;
const listOf = (feeds: Feeds): string => Object.keys(feeds).join(", ") || "none";
const elementOf = ({ data }: Tensor<TensorData>): string => data.constructor.name;
