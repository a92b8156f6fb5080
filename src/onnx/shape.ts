import { intOf, intsOf } from "./attributes.js";
import { constantInts } from "./constant.js";
import { type Fact, mismatch, type Rule, shapeText } from "./shape-rule.js";
import { conv, globalPool, pool } from "./shape-windows.js";
import { type DataType, dataTypeOf } from "./types.js";
import type { Dim, Node, Shape, Value } from "./value.js";

function joinDims(node: Node, a: Dim, b: Dim, shapes: string): Dim {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === "number" && typeof b === "number") return mismatch(node, `shapes ${shapes} do not broadcast`);
  return typeof a === "number" ? a : b === "?" ? a : b;
}

/** numpy's broadcasting of two shapes. */
export function broadcast(node: Node, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) =>
    joinDims(node, a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1, `${shapeText(a)} and ${shapeText(b)}`),
  );
}

const same: Rule = (_, [x]) => [{ type: x?.type, shape: x?.shape }];

const elementwise =
  (type?: DataType): Rule =>
  (node, inputs) => {
    const shapes = inputs.map((input) => input?.shape);
    const shape = shapes.reduce((a, b) => (a === undefined || b === undefined ? undefined : broadcast(node, a, b)));
    return [{ type: type ?? inputs.at(-1)?.type, shape }];
  };

const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

const axes = ({ attributes }: Node, input: Value | undefined): readonly number[] | undefined =>
  intsOf(attributes, "axes") ?? constantInts(input);

const matMul =
  (type?: DataType): Rule =>
  (node, [a, b]) => {
    if (a?.shape === undefined || b?.shape === undefined) return [{ type: type ?? a?.type }];
    const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
    const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
    const [inner, other] = [left.at(-1)!, right.at(-2)!];
    if (typeof inner === "number" && typeof other === "number" && inner !== other) {
      mismatch(node, `${shapeText(a.shape)} and ${shapeText(b.shape)} cannot be multiplied`);
    }
    const batch = broadcast(node, left.slice(0, -2), right.slice(0, -2));
    const rows = a.shape.length === 1 ? [] : [left.at(-2)!];
    const columns = b.shape.length === 1 ? [] : [right.at(-1)!];
    return [{ type: type ?? a.type, shape: [...batch, ...rows, ...columns] }];
  };

const reduce: Rule = (node, [x, listed]) => {
  if (x?.shape === undefined) return [{ type: x?.type }];
  const rank = x.shape.length;
  const given = axes(node, listed);
  if (given === undefined && listed !== undefined) return [{ type: x.type }];
  // An empty list means all axes too, unless the node says otherwise.
  const isAll = (given ?? []).length === 0 && intOf(node.attributes, "noop_with_empty_axes", 0) === 0;
  const over = new Set((isAll ? x.shape.map((_, i) => i) : (given ?? [])).map((axis) => axisOf(axis, rank)));
  const keep = intOf(node.attributes, "keepdims", 1) === 1;
  const shape = x.shape.flatMap((dim, i): Dim[] => (over.has(i) ? (keep ? [1] : []) : [dim]));
  return [{ type: x.type, shape }];
};

const argReduce: Rule = (node, [x]) => {
  const axis = intOf(node.attributes, "axis", 0);
  const [fact] = reduce({ ...node, attributes: { ...node.attributes, axes: [axis] } }, [x], 1);
  return [{ ...fact, type: "int64" }];
};

const transpose: Rule = ({ attributes }, [x]) => {
  const perm = intsOf(attributes, "perm") ?? x?.shape?.map((_, i) => i).reverse();
  return [{ type: x?.type, shape: x?.shape && perm?.map((axis) => x.shape![axis] ?? "?") }];
};

/** Product of the lengths, if each is known; names cancel where both sides have them. */
function remaining(from: Shape, to: Shape): Dim {
  const left = [...from];
  for (const dim of to) {
    const found = typeof dim === "string" && dim !== "?" ? left.indexOf(dim) : -1;
    if (found >= 0) left.splice(found, 1);
    else if (typeof dim === "string") return "?";
  }
  const names = left.filter((dim) => typeof dim === "string");
  const numbers = (shape: Shape): number => shape.reduce<number>((n, d) => (typeof d === "number" ? n * d : n), 1);
  const size = numbers(left) / numbers(to);
  if (names.length === 0) return size;
  return names.length === 1 && size === 1 ? names[0]! : "?";
}

const reshape: Rule = (node, [x, target]) => {
  const wanted = constantInts(target);
  const rank = target?.shape?.[0];
  if (wanted === undefined) {
    return [{ type: x?.type, shape: typeof rank === "number" ? new Array<Dim>(rank).fill("?") : undefined }];
  }
  const shape = wanted.map((dim, i): Dim => (dim === 0 ? (x?.shape?.[i] ?? "?") : dim));
  const open = shape.indexOf(-1);
  if (x?.shape === undefined) return [{ type: x?.type, shape: shape.map((dim): Dim => (dim === -1 ? "?" : dim)) }];
  const rest = remaining(x.shape, open < 0 ? shape : shape.toSpliced(open, 1));
  if (typeof rest === "number" && (open < 0 ? rest !== 1 : !Number.isInteger(rest))) {
    mismatch(node, `${shapeText(x.shape)} cannot become ${shapeText(wanted)}`);
  }
  return [{ type: x.type, shape: open < 0 ? shape : shape.with(open, rest) }];
};

const concat: Rule = (node, inputs) => {
  const shapes = inputs.map((input) => input?.shape);
  const [first] = shapes;
  if (first === undefined || shapes.includes(undefined)) return [{ type: inputs[0]?.type }];
  const axis = axisOf(intOf(node.attributes, "axis", 0), first.length);
  const dims = shapes.map((shape) => shape![axis]!);
  const total = dims.every((dim) => typeof dim === "number") ? dims.reduce((a, b) => a + b, 0) : "?";
  return [{ type: inputs[0]?.type, shape: first.with(axis, total) }];
};

const slice: Rule = (_, [x, starts, ends, over, steps]) => {
  if (x?.shape === undefined) return [{ type: x?.type }];
  const [from, to, stride] = [constantInts(starts), constantInts(ends), constantInts(steps)];
  const along = over === undefined ? from?.map((_, i) => i) : constantInts(over);
  if (along === undefined) return [{ type: x.type, shape: x.shape.map((): Dim => "?") }];
  // Backwards, an end before the first element is -1 and a start is at most the last one.
  const clamp = (n: number, size: number, step: number): number =>
    Math.min(Math.max(n < 0 ? n + size : n, step < 0 ? -1 : 0), step < 0 ? size - 1 : size);
  const shape = [...x.shape];
  for (const [i, axis] of along.entries()) {
    const at = axisOf(axis, shape.length);
    const [dim, step] = [shape[at], steps === undefined ? 1 : stride?.[i]];
    const isKnown =
      typeof dim === "number" && from !== undefined && to !== undefined && step !== undefined && step !== 0;
    shape[at] = isKnown ? Math.max(0, Math.ceil((clamp(to[i]!, dim, step) - clamp(from[i]!, dim, step)) / step)) : "?";
  }
  return [{ type: x.type, shape }];
};

const gather: Rule = ({ attributes }, [x, indices]) => {
  if (x?.shape === undefined || indices?.shape === undefined) return [{ type: x?.type }];
  const axis = axisOf(intOf(attributes, "axis", 0), x.shape.length);
  return [{ type: x.type, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] }];
};

const unsqueeze: Rule = (node, [x, listed]) => {
  const over = axes(node, listed);
  if (x?.shape === undefined || over === undefined) return [{ type: x?.type }];
  const rank = x.shape.length + over.length;
  const at = new Set(over.map((axis) => axisOf(axis, rank)));
  const rest = [...x.shape];
  return [{ type: x.type, shape: Array.from({ length: rank }, (_, i): Dim => (at.has(i) ? 1 : rest.shift()!)) }];
};

const squeeze: Rule = (node, [x, listed]) => {
  const over = axes(node, listed);
  if (x?.shape === undefined) return [{ type: x?.type }];
  if (over === undefined) {
    // Without a list every axis of length 1 goes, which a length not known yet might be.
    const isKnown = listed === undefined && x.shape.every((dim) => typeof dim === "number");
    return [{ type: x.type, shape: isKnown ? x.shape.filter((dim) => dim !== 1) : undefined }];
  }
  const at = new Set(over.map((axis) => axisOf(axis, x.shape!.length)));
  return [{ type: x.type, shape: x.shape.filter((_, i) => !at.has(i)) }];
};

const flatten: Rule = ({ attributes }, [x]) => {
  if (x?.shape === undefined) return [{ type: x?.type }];
  const axis = axisOf(intOf(attributes, "axis", 1), x.shape.length);
  return [{ type: x.type, shape: [remaining(x.shape.slice(0, axis), []), remaining(x.shape.slice(axis), [])] }];
};

const gemm: Rule = (node, [a, b]) => {
  const turn = (shape: Shape, flag: string): Shape =>
    intOf(node.attributes, flag, 0) === 1 ? [...shape].reverse() : shape;
  if (a?.shape === undefined || b?.shape === undefined) return [{ type: a?.type }];
  return matMul()(
    node,
    [
      { ...a, shape: turn(a.shape, "transA") },
      { ...b, shape: turn(b.shape, "transB") },
    ],
    1,
  );
};

const split: Rule = (node, [x, sizes], outputs) => {
  const listed = constantInts(sizes) ?? intsOf(node.attributes, "split");
  return Array.from({ length: outputs }, (_, i): Fact => {
    if (x?.shape === undefined) return { type: x?.type };
    const axis = axisOf(intOf(node.attributes, "axis", 0), x.shape.length);
    const dim = x.shape[axis]!;
    const even = typeof dim === "number" ? Math.min(Math.ceil(dim / outputs), dim - i * Math.ceil(dim / outputs)) : "?";
    return { type: x.type, shape: x.shape.with(axis, listed?.[i] ?? even) };
  });
};

const expand: Rule = (node, [x, target]) => {
  const wanted = constantInts(target);
  const rank = target?.shape?.[0];
  if (x?.shape === undefined || (wanted === undefined && typeof rank !== "number")) return [{ type: x?.type }];
  return [{ type: x.type, shape: broadcast(node, x.shape, wanted ?? new Array<Dim>(Number(rank)).fill("?")) }];
};

const pad: Rule = (node, [x, pads, , listed]) => {
  const amounts = constantInts(pads) ?? intsOf(node.attributes, "pads");
  const over = listed === undefined ? x?.shape?.map((_, i) => i) : constantInts(listed);
  if (x?.shape === undefined || amounts === undefined || over === undefined) return [{ type: x?.type }];
  const shape = [...x.shape];
  for (const [i, axis] of over.entries()) {
    const [at, more] = [axisOf(axis, shape.length), amounts[i]! + amounts[i + over.length]!];
    const dim = shape[at]!;
    if (more !== 0) shape[at] = typeof dim === "number" ? dim + more : "?";
  }
  return [{ type: x.type, shape }];
};

const tile: Rule = (_, [x, repeats]) => {
  const times = constantInts(repeats);
  if (x?.shape === undefined || times === undefined) return [{ type: x?.type }];
  const shape = x.shape.map((dim, i): Dim => (times[i] === 1 ? dim : typeof dim === "number" ? dim * times[i]! : "?"));
  return [{ type: x.type, shape }];
};

const cast: Rule = ({ attributes }, [x]) => [{ type: dataTypeOf(intOf(attributes, "to", 0)), shape: x?.shape }];

/** The optional second and third outputs are the mean and inverse deviation, with the normalised axes at length 1. */
const layerNorm: Rule = (node, [x]) => {
  const axis = axisOf(intOf(node.attributes, "axis", -1), x?.shape?.length ?? 1);
  const kept = x?.shape?.map((dim, i): Dim => (i >= axis ? 1 : dim));
  const facts = { type: "float32", shape: kept } as const;
  return [{ type: x?.type, shape: x?.shape }, facts, facts];
};

const dynamicQuantize: Rule = (_, [x]) => [
  { type: "uint8", shape: x?.shape },
  { type: "float32", shape: [] },
  { type: "uint8", shape: [] },
];

const typeOnly: Rule = (_, [x]) => [{ type: x?.type }];

const shapeOf: Rule = ({ attributes }, [x]) => {
  const whole = attributes.start === undefined && attributes.end === undefined;
  return [{ type: "int64", shape: x?.shape === undefined || !whole ? ["?"] : [x.shape.length] }];
};

const listed = (names: string, rule: Rule): [string, Rule][] => names.split(" ").map((name) => [name, rule]);

const rules: ReadonlyMap<string, Rule> = new Map([
  ...listed(
    "Relu Sigmoid Tanh Erf Exp Log Sqrt Neg Abs Softmax LogSoftmax Gelu Identity Clip Dropout Floor Ceil",
    same,
  ),
  ...listed("BatchNormalization InstanceNormalization GroupNormalization RMSNormalization", same),
  ...listed(
    "Round Sign Reciprocal Sin Cos HardSwish HardSigmoid LeakyRelu Elu Softplus CumSum LpNormalization Not Trilu",
    same,
  ),
  ...listed("MultiHeadAttention FastGelu BiasGelu QuickGelu ScatterElements ScatterND", same),
  ...listed("Add Sub Mul Div Pow Min Max Mean Sum PRelu Mod Where", elementwise()),
  ...listed("Equal Greater Less GreaterOrEqual LessOrEqual And Or Xor", elementwise("bool")),
  ...listed(
    "ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL2 ReduceL1 ReduceSumSquare ReduceLogSumExp",
    reduce,
  ),
  ...listed("ArgMax ArgMin", argReduce),
  ...listed("MatMul DynamicQuantizeMatMul MatMulIntegerToFloat", matMul()),
  ["MatMulInteger", matMul("int32")],
  ...listed("AveragePool MaxPool LpPool", pool),
  ...listed("GlobalAveragePool GlobalMaxPool", globalPool),
  ...listed("Resize GatherND", typeOnly),
  ["GatherElements", (_, [x, indices]) => [{ type: x?.type, shape: indices?.shape }]],
  ["Pad", pad],
  ["Tile", tile],
  ["DynamicQuantizeLinear", dynamicQuantize],
  ["LayerNormalization", layerNorm],
  ["Gemm", gemm],
  ["Conv", conv],
  ["Transpose", transpose],
  ["Reshape", reshape],
  ["Concat", concat],
  ["Slice", slice],
  ["Gather", gather],
  ["Unsqueeze", unsqueeze],
  ["Squeeze", squeeze],
  ["Flatten", flatten],
  ["Split", split],
  ["Expand", expand],
  ["Cast", cast],
  ["Shape", shapeOf],
]);

/** Types and shapes of a node's outputs as far as a cheap rule tells. Throws `MODEL_MISMATCH` where known shapes do not fit. */
export function infer(node: Node, outputs: number): readonly Fact[] {
  return rules.get(node.op)?.(node, node.inputs, outputs) ?? [];
}
