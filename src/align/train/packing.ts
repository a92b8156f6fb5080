import { SenseError } from "../../core/errors.js";
import { reshape } from "../../onnx/arithmetic.js";
import type { Graph } from "../../onnx/graph.js";
import type { Value } from "../../onnx/value.js";
import type { Net, Parameter } from "../net/net.js";
import { piecesOf } from "./adamw.js";

/** One vector of the state: a large weight of its own, or several small ones end to end. */
export interface Packed {
  readonly name: string;
  readonly size: number;
  /** The form in which it is carried from step to step. */
  readonly dims: readonly number[];
  /** Whether weight decay acts on it: on matrices only. */
  readonly decays: boolean;
  readonly parts: readonly { readonly parameter: Parameter; readonly offset: number }[];
}

/** How the weights of a training step lie in its state vectors. */
export interface Packing {
  readonly tensors: readonly Packed[];
  /** Gives a network its weights as views of the state vectors. */
  taker(g: Graph, vectors: readonly Value[]): Net["take"];
  /** The state vectors' numbers. */
  pack(parameters: readonly Parameter[]): Float32Array[];
  /** The weights that state vectors hold. */
  unpack(vectors: readonly Float32Array[]): Parameter[];
}

/** Weights below this many numbers share a vector: a step then has a few large updates instead of many small ones. */
const small = 16_384;

const sizeOf = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

export function packingOf(parameters: readonly Parameter[]): Packing {
  const tensors: Packed[] = [];
  for (const parameter of parameters.filter(({ data }) => data.length >= small)) {
    const { name, dims, data } = parameter;
    const [size, decays] = [data.length, dims.length === 2];
    tensors.push({ name, size, dims: piecesOf(size), decays, parts: [{ parameter, offset: 0 }] });
  }
  for (const decays of [true, false]) {
    const group = parameters.filter(({ data, dims }) => data.length < small && (dims.length === 2) === decays);
    if (group.length === 0) continue;
    let size = 0;
    const parts = group.map((parameter) => {
      const offset = size;
      size += parameter.data.length;
      return { parameter, offset };
    });
    tensors.push({ name: decays ? "matrices" : "vectors", size, dims: piecesOf(size), decays, parts });
  }
  return {
    tensors,
    taker: (g, vectors) => taker(tensors, g, vectors),
    pack: (given) => tensors.map((packed) => pack(packed, new Map(given.map((p) => [p.name, p])))),
    unpack: (vectors) => {
      const found = new Map(tensors.flatMap((packed, i) => unpack(packed, vectors[i]!)));
      return parameters.map(({ name }) => found.get(name)!);
    },
  };
}

function taker(tensors: readonly Packed[], g: Graph, vectors: readonly Value[]): Net["take"] {
  const views = new Map<string, Value>();
  for (const [i, { parts }] of tensors.entries()) {
    const sizes = parts.map(({ parameter }) => parameter.data.length);
    const pieces =
      parts.length === 1
        ? [vectors[i]!]
        : g.ops("Split", [reshape(g, vectors[i]!, [-1]), g.ints(sizes)], { axis: 0 }, { outputs: parts.length });
    for (const [j, { parameter }] of parts.entries()) {
      views.set(parameter.name, reshape(g, pieces[j]!, parameter.dims));
    }
  }
  return (name, dims) => {
    const view = views.get(name);
    if (view !== undefined && view.shape!.join() === dims.join()) return view;
    throw new SenseError("MODEL_MISMATCH", `the training step has no weight ${name} of shape [${dims.join(", ")}]`);
  };
}

function pack({ size, parts }: Packed, given: ReadonlyMap<string, Parameter>): Float32Array {
  const vector = new Float32Array(size);
  for (const { parameter, offset } of parts) {
    const found = given.get(parameter.name);
    if (found === undefined || sizeOf(found.dims) !== parameter.data.length) {
      throw new SenseError(
        "MODEL_MISMATCH",
        `there is no weight ${parameter.name} of shape [${parameter.dims.join(", ")}]`,
      );
    }
    vector.set(found.data, offset);
  }
  return vector;
}

const unpack = ({ parts }: Packed, vector: Float32Array): [string, Parameter][] =>
  parts.map(({ parameter: { name, dims, data }, offset }) => [
    name,
    { name, dims, data: vector.slice(offset, offset + data.length) },
  ]);
