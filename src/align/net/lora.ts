import { add, matMul, mul, normalizeRows } from "../../onnx/arithmetic.js";
import { inline } from "../../onnx/inline.js";
import type { Body, Value } from "../../onnx/value.js";
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

/** The attention and MLP matrices of ImageBind's trunks, by the names that an import keeps. */
export const trunkMatrices = /\.(attn|mlp)\./;

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
    for (const graph of graphs) {
      const input = graph.inputs[0]!.name;
      const made = inline(g, graph, { [input]: last }, (_, node, inputs) => {
        const [a, w] = inputs;
        const isMatrix = node.op === "MatMul" && a !== undefined && w?.shape?.length === 2 && isMoving(a, moving);
        const name = w?.source.kind === "weight" ? w.name : node.name;
        if (!isMatrix || isMoving(w, moving) || (which && !which.test(name) && !which.test(node.name)))
          return undefined;
        const [inputsOf, outputsOf] = [lengthOf(w, 0), lengthOf(w, 1)];
        const down = net.take(`lora.${node.name}.a`, [inputsOf, rank], { deviation: 1 / Math.sqrt(inputsOf) });
        const up = net.take(`lora.${node.name}.b`, [rank, outputsOf], { value: 0 });
        return add(g, matMul(g, a, w), mul(g, matMul(g, matMul(g, a, down), up), alpha / rank));
      });
      last = Object.values(made)[0]!;
    }
    return normalizeRows(g, last);
  };

/** Whether a value depends on the input: what is made of weights alone stays as it is. */
function isMoving(value: Value, moving: Set<Value>): boolean {
  if (moving.has(value)) return true;
  if (value.source.kind !== "node") return false;
  const depends = value.source.node.inputs.some((input) => input !== undefined && isMoving(input, moving));
  if (depends) moving.add(value);
  return depends;
}
