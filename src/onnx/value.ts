import type { DataType } from "./types.js";

/** A known length, or the name of one that only a run knows (`batch`). */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** Where a weight's little-endian bytes are. */
export type Storage =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** In another file: `location` relative to the model's folder; `folder` is that folder once the model is on disk. */
  | {
      readonly kind: "file";
      readonly location: string;
      readonly offset: number;
      readonly length: number;
      readonly folder?: string;
    }
  /** A type this project does not read (strings, 4-bit): the TensorProto as it was. */
  | { readonly kind: "opaque"; readonly proto: Uint8Array };

export interface Weight {
  readonly type: DataType | undefined;
  readonly dims: readonly number[];
  /** Changes when the bytes move to another file. */
  storage: Storage;
}

/** How a value came about: the tape that a gradient walks back along. */
export type Source =
  | { readonly kind: "input" }
  | { readonly kind: "weight"; readonly weight: Weight }
  | { readonly kind: "node"; readonly node: Node; readonly index: number };

/** A tensor of a graph. `name` changes when it is made an output. */
export interface Value {
  name: string;
  readonly type: DataType | undefined;
  /** `undefined` where inference has no rule. */
  readonly shape: Shape | undefined;
  readonly source: Source;
}

/**
 * An attribute of a node. A plain number is an INT if it is whole, else a FLOAT, except for the names that ONNX defines as
 * floats (`epsilon`, `alpha` ...); `{ float }` says it outright. A plain list holds INTs, `{ floats }` FLOATs.
 */
export type Attribute =
  | number
  | bigint
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Weight }
  | { readonly graph: Body }
  /** An AttributeProto that is only carried over. */
  | { readonly opaque: Uint8Array };

export type Attributes = Readonly<Record<string, Attribute>>;

export interface Node {
  readonly op: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  readonly name: string;
  /** An optional input that is left out is `undefined`. */
  readonly inputs: (Value | undefined)[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

/** Inputs, weights, nodes in an order in which they can run, and outputs: a graph, or the body of a Loop, Scan or If. */
export interface Body {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly weights: readonly Value[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly Value[];
}

/** A whole .onnx file. */
export interface Model extends Body {
  /** Versions of the operator sets by domain; the empty name is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Model-local functions, carried over as they were. */
  readonly functions: readonly Uint8Array[];
}
