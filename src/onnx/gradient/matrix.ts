import { matMul, matrixTranspose, mul, reshape } from "../arithmetic.js";
import { floatOf, intOf } from "../attributes.js";
import type { Graph } from "../graph.js";
import type { Node, Value } from "../value.js";
import { dimsOf, type GradientRule, unbroadcast } from "./rule.js";

/** A matrix [m, n] of everything before the last axis, and that. */
const flat = (g: Graph, x: Value): Value => {
  const dims = x.shape as readonly number[];
  return dims.length === 2 ? x : reshape(g, x, [dims.slice(0, -1).reduce((a, b) => a * b, 1), dims.at(-1)!]);
};

/** Rows by one matrix: two products of plain matrices, with their transposition left to the kernel. */
function byMatrix(g: Graph, node: Node, dy: Value, needs: readonly boolean[]): (Value | undefined)[] {
  const [a, b] = [node.inputs[0]!, node.inputs[1]!];
  const dims = dimsOf(a, node);
  const rows = flat(g, dy);
  const da = needs[0] ? g.op("Gemm", [rows, b], { transB: 1 }) : undefined;
  return [
    da && (dims.length === 2 ? da : reshape(g, da, dims)),
    needs[1] ? g.op("Gemm", [flat(g, a), rows], { transA: 1 }) : undefined,
  ];
}

const matMulRule: GradientRule = ({ g, node, dys, needs }) => {
  const [a, b] = [node.inputs[0]!, node.inputs[1]!];
  const [left, right] = [dimsOf(a, node), dimsOf(b, node)];
  if (right.length === 2 && left.length >= 2) return byMatrix(g, node, dys[0]!, needs);
  // A vector is a matrix of one row on the left, of one column on the right.
  const rowA = left.length === 1 ? reshape(g, a, [1, ...left]) : a;
  const columnB = right.length === 1 ? reshape(g, b, [...right, 1]) : b;
  const batch = dimsOf(node.outputs[0], node).slice(
    0,
    node.outputs[0]!.shape!.length - (left.length === 1 ? 0 : 1) - (right.length === 1 ? 0 : 1),
  );
  const rows = left.length === 1 ? 1 : left.at(-2)!;
  const columns = right.length === 1 ? 1 : right.at(-1)!;
  const dy = left.length === 1 || right.length === 1 ? reshape(g, dys[0]!, [...batch, rows, columns]) : dys[0]!;
  const back = (grad: Value, whole: Value, own: readonly number[]): Value => {
    const summed = unbroadcast(g, grad, whole, node);
    return own.length === 1 ? reshape(g, summed, own) : summed;
  };
  return [
    needs[0] ? back(matMul(g, dy, matrixTranspose(g, columnB)), rowA, left) : undefined,
    needs[1] ? back(matMul(g, matrixTranspose(g, rowA), dy), columnB, right) : undefined,
  ];
};

/** Y = alpha A' B' + beta C, A' and B' transposed where the attributes say so. */
const gemm: GradientRule = ({ g, node, dys, needs }) => {
  const [a, b, c] = node.inputs;
  const { attributes } = node;
  const dy = dys[0]!;
  const [alpha, beta] = [floatOf(attributes, "alpha", 1), floatOf(attributes, "beta", 1)];
  const [ta, tb] = [intOf(attributes, "transA", 0), intOf(attributes, "transB", 0)];
  const product = (x: Value, y: Value, transA: number, transB: number): Value =>
    g.op("Gemm", [x, y], { transA, transB, alpha: { float: alpha } });
  const da = () => (ta ? product(b!, dy, tb, 1) : product(dy, b!, 0, 1 - tb));
  const db = () => (tb ? product(dy, a!, 1, ta) : product(a!, dy, 1 - ta, 0));
  return [
    needs[0] ? da() : undefined,
    needs[1] ? db() : undefined,
    needs[2] ? unbroadcast(g, beta === 1 ? dy : mul(g, dy, beta), c!, node) : undefined,
  ];
};

export const matrixRules: Readonly<Record<string, GradientRule>> = { MatMul: matMulRule, Gemm: gemm };
