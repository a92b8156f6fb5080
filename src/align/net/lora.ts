import { SenseError } from "../../core/errors.js";
import { add, matMul, mul, normalizeRows } from "../../onnx/arithmetic.js";
import { intOf } from "../../onnx/attributes.js";
import type { Graph } from "../../onnx/graph.js";
import { inline } from "../../onnx/inline.js";
import type { Body, Node, Value } from "../../onnx/value.js";
import { lengthOf } from "./layers.js";
import type { Architecture } from "./net.js";

export interface LoraOptions {
  /** Length of the bottleneck. */
  readonly rank: number;
  /** The update counts alpha / rank times. */
  readonly alpha?: number;
  /** Which matrices get one, by the name of their weight or node; all of them unless given. */
  readonly which?: RegExp;
}

/** The matrices of a transformer's blocks, by the names that an import keeps: ImageBind's own, CLIP's, BERT's and ViT's. */
const named = {
  attention: /(?:^|[./_])(?:self_attn|attn|attention)(?:[./]|$)/i,
  mlp: /(?:^|[./])(?:mlp|ffn|feed_forward|intermediate|fc1|fc2)(?:[./]|$)|layer\.\d+\/output\/dense/i,
};
export type MatrixKind = keyof typeof named;

/** Finds the matrices of these kinds by their names. */
export const matricesOf = (kinds: readonly MatrixKind[]): RegExp =>
  new RegExp(kinds.map((kind) => `(?:${named[kind].source})`).join("|"), "i");

/** Which kinds of matrices the graphs have names of. */
export function kindsIn(graphs: readonly Body[]): readonly MatrixKind[] {
  const names = graphs.flatMap(({ nodes }) => nodes.filter(({ op }) => op === "MatMul" || op === "Gemm").map(nameOf));
  return (["attention", "mlp"] as const).filter((kind) => names.some((name) => named[kind].test(name)));
}

/** A product's weight says which matrix it is, or else the node does. */
const nameOf = ({ name, inputs: [, w] }: Node): string => `${storedName(w) ?? ""} ${name}`.trim();

/** Name of a weight, of one that is kept as float16 too. */
function storedName(w: Value | undefined): string | undefined {
  if (w?.source.kind === "weight") return w.name;
  if (w?.source.kind === "node" && w.source.node.op === "Cast") return storedName(w.source.node.inputs[0]);
  return undefined;
}

/** Products in whole numbers, which have no gradient. */
const whole = /^(?:QLinear.*|QGemm|.*Integer.*|DynamicQuantize.*)$/;

/** Throws `BAD_MODEL` with the operator's name where an encoder computes in whole numbers. */
export function refuseWhole(graphs: readonly Body[]): void {
  const found = graphs.flatMap(({ nodes }) => nodes).find(({ op }) => whole.test(op));
  if (found === undefined) return;
  throw new SenseError(
    "BAD_MODEL",
    `the encoder computes in int8 (${found.op}, ${found.name}), and no gradient passes there`,
    {
      hint: "Train low-rank updates on the fp32 or fp16 bundle and quantise the result, or train a head (--train head).",
    },
  );
}

/**
 * A bundle's own encoder with its weights frozen, and a low-rank update beside each matrix: x W + alpha/rank (x A) B, B beginning at
 * zero, so that it begins as the encoder was (LoRA, Hu et al., arXiv 2106.09685). `graphs` run one after the other. Throws
 * `BAD_MODEL` with the operator's name where a gradient would have to pass an operator that has none, such as int8 products.
 */
export const lora =
  (graphs: readonly Body[], { rank, alpha = 2 * rank, which }: LoraOptions): Architecture =>
  (net, x) => {
    const { g } = net;
    const moving = new Set<Value>([x]);
    let last = x;
    for (const [i, graph] of graphs.entries()) {
      const input = graph.inputs[0]!.name;
      const made = inline(g, graph, { [input]: last }, (_, node, inputs) => {
        const matrix = matrixIn(node, inputs);
        if (matrix === undefined) return undefined;
        const { a, w, isTurned } = matrix;
        if (!isMoving(a, moving) || isMoving(w, moving) || isUpdate(w)) return undefined;
        if (which !== undefined && !which.test(nameOf({ ...node, inputs: [a, w] }))) return undefined;
        const [inputsOf, outputsOf] = isTurned ? [lengthOf(w, 1), lengthOf(w, 0)] : [lengthOf(w, 0), lengthOf(w, 1)];
        // A trunk and its head may have nodes of one name.
        const name = i === 0 ? `lora.${node.name}` : `lora.${i}.${node.name}`;
        const down = net.take(`${name}.a`, [inputsOf, rank], { deviation: 1 / Math.sqrt(inputsOf) });
        const up = net.take(`${name}.b`, [rank, outputsOf], { value: 0 });
        return add(g, same(g, node, inputs), mul(g, matMul(g, matMul(g, a, down), up), alpha / rank));
      });
      last = Object.values(made)[0]!;
    }
    return normalizeRows(g, last);
  };

interface Matrix {
  readonly a: Value;
  readonly w: Value;
  /** Whether w is [outputs, inputs], torch's way. */
  readonly isTurned: boolean;
}

/** The operands of a product with a matrix; undefined for any other node. */
function matrixIn({ op, attributes }: Node, [a, w]: readonly (Value | undefined)[]): Matrix | undefined {
  if (a === undefined || w?.shape?.length !== 2) return undefined;
  if (op === "MatMul") return { a, w, isTurned: false };
  if (op !== "Gemm" || intOf(attributes, "transA", 0) !== 0) return undefined;
  return { a, w, isTurned: intOf(attributes, "transB", 0) !== 0 };
}

/** The node as it was, under its name: a further calibration knows it again. */
const same = (g: Graph, { op, name, domain, attributes }: Node, inputs: readonly (Value | undefined)[]): Value =>
  g.op(op, inputs, attributes, { name, domain });

/** Whether a matrix is itself an update of a calibration before. */
const isUpdate = (w: Value): boolean => storedName(w)?.startsWith("lora.") ?? false;

/** Whether a value depends on the input: what is made of weights alone stays as it is. */
function isMoving(value: Value, moving: Set<Value>): boolean {
  if (moving.has(value)) return true;
  if (value.source.kind !== "node") return false;
  const depends = value.source.node.inputs.some((input) => input !== undefined && isMoving(input, moving));
  if (depends) moving.add(value);
  return depends;
}
