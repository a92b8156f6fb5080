import fc from "fast-check";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { isSenseError } from "../../src/core/errors.js";
import { seeded } from "../../src/core/random.js";
import { mul, normalizeRows, sum } from "../../src/onnx/arithmetic.js";
import { encodeModel } from "../../src/onnx/encode.js";
import { differentiable, gradients } from "../../src/onnx/gradient/gradient.js";
import { type Graph, graph } from "../../src/onnx/graph.js";
import type { Attributes, Value } from "../../src/onnx/value.js";

type Dims = readonly number[];
interface Case {
  /** Shapes of the inputs whose gradients are checked. */
  readonly inputs: readonly Dims[];
  readonly build: (g: Graph, inputs: Value[]) => Value;
  /** Numbers that keep clear of the operator's kinks and poles. */
  readonly draw?: (random: () => number, index: number) => number;
}

const size = (dims: Dims): number => dims.reduce((a, b) => a * b, 1);
const signed = (random: () => number): number => 2 * random() - 1;
const positive = (random: () => number): number => 0.5 + random();
/** At least 0.2 from zero. */
const clear = (random: () => number): number => (random() < 0.5 ? -1 : 1) * (0.2 + random());

/** How far the gradients are from central differences along a random direction, as a share of their size. */
async function distance({ inputs, build, draw = signed }: Case, seed: number): Promise<number> {
  const random = seeded(seed);
  const g = graph({ opset: 21 });
  const values = inputs.map((dims, i) => g.input(`x${i}`, "float32", dims));
  const y = build(g, values);
  const dims = y.shape as Dims;
  const weights = Float32Array.from({ length: size(dims) }, () => signed(random));
  const of = sum(g, mul(g, y, g.weight("w", { dims, data: weights })));
  for (const [i, dx] of gradients(g, of, values).entries()) g.output(`d${i}`, dx);
  g.output("y", y);
  const session = await InferenceSession.create(encodeModel(g), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const at = inputs.map((d, index) => Float32Array.from({ length: size(d) }, () => draw(random, index)));
  const run = (xs: readonly Float32Array[]) =>
    session.run(Object.fromEntries(xs.map((x, i) => [`x${i}`, new OrtTensor("float32", x, inputs[i]!)])));
  const loss = async (xs: readonly Float32Array[]): Promise<number> =>
    ((await run(xs)).y!.data as Float32Array).reduce((total, value, i) => total + value * weights[i]!, 0);
  const found = await run(at);
  let worst = 0;
  for (const [i, x] of at.entries()) {
    const dx = found[`d${i}`]!;
    expect(dx.dims).toEqual(inputs[i]);
    const direction = Float32Array.from(x, () => signed(random));
    const step = 4e-3;
    const moved = (sign: number) =>
      at.with(
        i,
        x.map((value, j) => value + sign * step * direction[j]!),
      );
    const slope = ((await loss(moved(1))) - (await loss(moved(-1)))) / (2 * step);
    const told = (dx.data as Float32Array).reduce((total, value, j) => total + value * direction[j]!, 0);
    const scale = Math.sqrt((dx.data as Float32Array).reduce((total, value) => total + value * value, 0));
    worst = Math.max(worst, Math.abs(slope - told) / (scale + Math.abs(slope) + 0.05));
  }
  await session.release();
  return worst;
}

const unary = (op: string, attributes: Attributes = {}, draw?: Case["draw"]) => ({
  cases: fc.constant<Case>({
    inputs: [[3, 4]],
    build: (g, [x]) => g.op(op, [x], attributes),
    ...(draw && { draw }),
  }),
});

const length = fc.integer({ min: 1, max: 4 });
/** Two shapes that broadcast, either of which may lack leading axes or have ones. */
const pairs = fc
  .tuple(
    fc.array(length, { minLength: 0, maxLength: 3 }),
    fc.array(fc.tuple(fc.boolean(), fc.boolean())),
    fc.nat(3),
    fc.nat(3),
  )
  .map(([dims, ones, a, b]): [Dims, Dims] => [
    dims.map((d, i) => (ones[i]?.[0] ? 1 : d)).slice(Math.min(a, dims.length)),
    dims.map((d, i) => (ones[i]?.[1] ? 1 : d)).slice(Math.min(b, dims.length)),
  ]);
const binary = (op: string, draw?: Case["draw"]) => ({
  cases: pairs.map((inputs): Case => ({ inputs, build: (g, [a, b]) => g.op(op, [a, b]), ...(draw && { draw }) })),
});
const apart: Case["draw"] = (random, index) => signed(random) + 3 * index;

const reduce = (op: string, draw?: Case["draw"]) => ({
  cases: fc
    .tuple(fc.array(length, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(2), { maxLength: 2 }), fc.boolean())
    .map(([dims, listed, keep]): Case => {
      const axes = [...new Set(listed.map((axis) => axis % dims.length))];
      return {
        inputs: [dims],
        build: (g, [x]) => g.op(op, axes.length > 0 ? [x, g.ints(axes)] : [x], { keepdims: keep ? 1 : 0 }),
        ...(draw && { draw }),
      };
    }),
});
const spread: Case["draw"] = (() => {
  let drawn = 0;
  return (random: () => number) => {
    drawn++;
    return 0.07 * ((37 * drawn) % 101) + 0.02 * random();
  };
})();

const matrices = fc
  .tuple(
    length,
    length,
    length,
    fc.array(length, { maxLength: 2 }),
    fc.constantFrom("both", "left", "right", "va", "vb", "one"),
  )
  .map(([m, k, n, batch, form]): Case => {
    const a = form === "va" ? [k] : [...(form === "right" ? [] : batch), m, k];
    const b =
      form === "vb" ? [k] : form === "one" ? [...batch.map(() => 1), k, n] : [...(form === "left" ? [] : batch), k, n];
    return { inputs: [a, b], build: (g, [x, y]) => g.op("MatMul", [x, y]) };
  });

const gemms = fc.tuple(length, length, length, fc.boolean(), fc.boolean()).map(
  ([m, k, n, ta, tb]): Case => ({
    inputs: [ta ? [k, m] : [m, k], tb ? [n, k] : [k, n], [n]],
    build: (g, xs) =>
      g.op("Gemm", xs, { transA: ta ? 1 : 0, transB: tb ? 1 : 0, alpha: { float: 0.7 }, beta: { float: 1.3 } }),
  }),
);

const convolutions = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    group: fc.integer({ min: 1, max: 3 }),
    inPer: fc.integer({ min: 1, max: 2 }),
    outPer: fc.integer({ min: 1, max: 2 }),
    kernel: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    pad: fc.integer({ min: 0, max: 1 }),
    extra: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ batch, group, inPer, outPer, kernel, stride, dilation, pad, extra }): Case => {
    const space = kernel.map((k) => dilation * (k - 1) + 1 + extra);
    const each = (n: number): number[] => kernel.map(() => n);
    return {
      inputs: [[batch, group * inPer, ...space], [group * outPer, inPer, ...kernel], [group * outPer]],
      build: (g, xs) =>
        g.op("Conv", xs, {
          group,
          strides: each(stride),
          dilations: each(dilation),
          pads: [...each(pad), ...each(pad)],
        }),
    };
  });

const patches = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))
  .map(([rank, k, n]): Case => {
    const each = (value: number): number[] => new Array<number>(rank).fill(value);
    return {
      inputs: [[2, 2, ...each(k * n)], [3, 2, ...each(k)], [3]],
      build: (g, xs) => g.op("Conv", xs, { strides: each(k) }),
    };
  });

const slices = fc
  .tuple(fc.integer({ min: 3, max: 7 }), fc.integer({ min: -3, max: 2 }), fc.constantFrom(1, 2, 3, -1, -2))
  .map(
    ([n, from, step]): Case => ({
      inputs: [[2, n]],
      build: (g, [x]) =>
        step > 0
          ? g.op("Slice", [x, g.ints([from, 0]), g.ints([n, 1]), g.ints([1, 0]), g.ints([step, 1])])
          : g.op("Slice", [x, g.ints([n + 5]), g.ints([-n - 5]), g.ints([1]), g.ints([step])]),
    }),
  );

const gathers = fc.tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 0, max: 2 }), fc.boolean()).map(
  ([n, axis, plain]): Case => ({
    inputs: [[2, 3, 2].with(axis, n)],
    build: (g, [x]) => {
      const picked = g.weight("picked", {
        dims: plain ? [3] : [2, 2],
        data: BigInt64Array.from(plain ? [0n, -1n, 0n] : [1n, 1n, -2n, 0n]),
      });
      return g.op("Gather", [x, picked], { axis });
    },
  }),
);

const one = (inputs: readonly Dims[], build: Case["build"], draw?: Case["draw"]) => ({
  cases: fc.constant<Case>({ inputs, build, ...(draw && { draw }) }),
});

const table: Record<string, { cases: fc.Arbitrary<Case> }> = {
  Add: binary("Add"),
  Sub: binary("Sub"),
  Mul: binary("Mul"),
  Div: binary("Div", clear),
  Max: binary("Max", apart),
  Min: binary("Min", apart),
  Sum: one([[2, 3], [3], [2, 1]], (g, xs) => g.op("Sum", xs)),
  Mean: one([[2, 3], [3]], (g, xs) => g.op("Mean", xs)),
  Pow: one([[2, 3], [3]], (g, [x, p]) => g.op("Add", [g.op("Pow", [x, p]), g.op("Pow", [x, g.floats(2)])]), positive),
  Where: one([[2, 3], [3]], (g, [a, b]) => g.op("Where", [g.op("Less", [g.ints([0, 1, 2]), g.ints(1)]), a, b])),
  Clip: one(
    [[4, 5]],
    (g, [x]) => g.op("Clip", [x, g.floats(-0.5), g.floats(0.5)]),
    (random) => (random() < 0.5 ? 0.4 * signed(random) : (random() < 0.5 ? -1 : 1) * (0.6 + random())),
  ),
  Identity: unary("Identity"),
  Dropout: unary("Dropout"),
  Cast: one([[2, 2]], (g, [x]) => g.op("Cast", [g.op("Cast", [x], { to: 11 })], { to: 1 })),
  Neg: unary("Neg"),
  Abs: unary("Abs", {}, clear),
  Sqrt: unary("Sqrt", {}, positive),
  Exp: unary("Exp"),
  Log: unary("Log", {}, positive),
  Reciprocal: unary("Reciprocal", {}, clear),
  Sin: unary("Sin"),
  Cos: unary("Cos"),
  Relu: unary("Relu", {}, clear),
  LeakyRelu: unary("LeakyRelu", { alpha: { float: 0.2 } }, clear),
  Elu: unary("Elu", { alpha: { float: 0.7 } }, clear),
  HardSigmoid: unary("HardSigmoid", {}, (random) => 4 * signed(random)),
  HardSwish: unary("HardSwish", {}, (random) => 2.5 * signed(random)),
  Sigmoid: unary("Sigmoid"),
  Tanh: unary("Tanh"),
  Softplus: unary("Softplus"),
  Erf: unary("Erf"),
  Gelu: {
    cases: fc
      .constantFrom("none", "tanh")
      .map((approximate): Case => ({ inputs: [[3, 4]], build: (g, [x]) => g.op("Gelu", [x], { approximate }) })),
  },
  Expand: one([[3, 1]], (g, [x]) => g.op("Expand", [x, g.ints([2, 3, 4])])),
  Floor: unary("Floor", {}, (random) => Math.floor(5 * random()) + 0.3 + 0.4 * random()),
  Sign: unary("Sign", {}, clear),
  ReduceSum: reduce("ReduceSum"),
  ReduceMean: reduce("ReduceMean"),
  ReduceMax: reduce("ReduceMax", spread),
  ReduceMin: reduce("ReduceMin", spread),
  ReduceSumSquare: reduce("ReduceSumSquare"),
  ReduceL1: reduce("ReduceL1", clear),
  ReduceL2: reduce("ReduceL2", clear),
  ReduceLogSumExp: reduce("ReduceLogSumExp"),
  Softmax: {
    cases: fc
      .constantFrom(0, 1, -1)
      .map((axis): Case => ({ inputs: [[3, 4]], build: (g, [x]) => g.op("Softmax", [x], { axis }) })),
  },
  LogSoftmax: {
    cases: fc
      .constantFrom(0, 1, -1)
      .map((axis): Case => ({ inputs: [[3, 4]], build: (g, [x]) => g.op("LogSoftmax", [x], { axis }) })),
  },
  AveragePool: {
    cases: fc
      .record({
        kernel: fc.constantFrom([2, 3], [3, 1], [2]),
        stride: fc.integer({ min: 1, max: 3 }),
        pad: fc.nat(1),
        counted: fc.nat(1),
      })
      .map(({ kernel, stride, pad, counted }): Case => {
        const each = (n: number): number[] => kernel.map(() => n);
        const pads = [...each(pad), ...each(0)].map((p, i) => (kernel[i % kernel.length] === 1 ? 0 : p));
        return {
          inputs: [[2, 3, ...each(7)]],
          build: (g, [x]) =>
            g.op("AveragePool", [x], { kernel_shape: kernel, strides: each(stride), pads, count_include_pad: counted }),
        };
      }),
  },
  MaxPool: {
    cases: fc.integer({ min: 1, max: 3 }).map(
      (stride): Case => ({
        inputs: [[2, 2, 5, 6]],
        build: (g, [x]) =>
          g.op("MaxPool", [x], { kernel_shape: [2, 3], strides: [stride, stride], pads: [0, 1, 1, 0] }),
        draw: spread,
      }),
    ),
  },
  GlobalMaxPool: one([[2, 3, 4, 2]], (g, [x]) => g.op("GlobalMaxPool", [x]), spread),
  GlobalAveragePool: one([[2, 3, 4, 5]], (g, [x]) => g.op("GlobalAveragePool", [x])),
  MatMul: { cases: matrices },
  Gemm: { cases: gemms },
  Reshape: one([[2, 6]], (g, [x]) => g.op("Reshape", [x, g.ints([3, -1])])),
  Squeeze: one([[2, 1, 3]], (g, [x]) => g.op("Squeeze", [x, g.ints([1])])),
  Unsqueeze: one([[2, 3]], (g, [x]) => g.op("Unsqueeze", [x, g.ints([0, 2])])),
  Flatten: one([[2, 3, 2]], (g, [x]) => g.op("Flatten", [x], { axis: 2 })),
  Transpose: one([[2, 3, 4]], (g, [x]) =>
    g.op("Mul", [
      g.op("Transpose", [x], { perm: [1, 2, 0] }),
      g.op("Transpose", [g.op("Transpose", [x])], { perm: [1, 0, 2] }),
    ]),
  ),
  Concat: one(
    [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    (g, xs) => g.op("Concat", xs, { axis: -1 }),
  ),
  Split: one([[2, 5]], (g, [x]) => {
    const [a, , c] = g.ops("Split", [x, g.ints([1, 2, 2])], { axis: 1 }, { outputs: 3 });
    return g.op("Mul", [a, c]);
  }),
  Slice: { cases: slices },
  Gather: { cases: gathers },
  GatherElements: one([[3, 4]], (g, [x]) => {
    const data = BigInt64Array.from([0n, 2n, 1n, 0n, 0n, -1n, 2n, 2n]);
    return g.op("GatherElements", [x, g.weight("picked", { dims: [2, 4], data })], { axis: 0 });
  }),
  Pad: {
    cases: fc.constantFrom([1, 0, 0, 2], [0, -1, 2, -1], [-1, 2, 1, 0]).map(
      (pads): Case => ({
        inputs: [[2, 4]],
        build: (g, [x]) => g.op("Pad", [g.op("Pad", [x, g.ints(pads)]), g.ints([2, -1]), g.floats(3), g.ints([0])]),
      }),
    ),
  },
  Tile: one([[2, 3]], (g, [x]) => g.op("Tile", [x, g.ints([2, 3])])),
  CumSum: {
    cases: fc.tuple(fc.nat(1), fc.nat(1)).map(
      ([exclusive, reverse]): Case => ({
        inputs: [[2, 4]],
        build: (g, [x]) => g.op("CumSum", [x, g.ints(1)], { exclusive, reverse }),
      }),
    ),
  },
  Trilu: one([[3, 4]], (g, [x]) => g.op("Trilu", [x, g.ints(1)], { upper: 0 })),
  LayerNormalization: {
    cases: fc.constantFrom(1, 2, -1).map(
      (axis): Case => ({
        inputs: [[2, 3, 4], [2, 3, 4].slice(axis), [2, 3, 4].slice(axis)],
        build: (g, xs) => g.op("LayerNormalization", xs, { axis, epsilon: 1e-5 }),
      }),
    ),
  },
  InstanceNormalization: one([[2, 3, 5], [3], [3]], (g, xs) => g.op("InstanceNormalization", xs, { epsilon: 1e-5 })),
  GroupNormalization: one([[2, 4, 3, 2], [4], [4]], (g, xs) =>
    g.op("GroupNormalization", xs, { num_groups: 2, epsilon: 1e-5 }),
  ),
  BatchNormalization: one([[2, 3, 4], [3], [3]], (g, xs) =>
    g.op("BatchNormalization", [...xs, g.floats([0.1, 0.2, -0.3]), g.floats([1, 2, 0.5])]),
  ),
  LpNormalization: one([[3, 4]], (g, [x]) => g.op("LpNormalization", [x], { axis: -1 }), clear),
  Conv: { cases: fc.oneof(convolutions, patches) },
  MultiHeadAttention: {
    cases: fc.boolean().map(
      (causal): Case => ({
        inputs: [
          [2, 3, 8],
          [2, causal ? 3 : 4, 8],
          [2, causal ? 3 : 4, 8],
        ],
        build: (g, xs) =>
          g.op(
            "MultiHeadAttention",
            xs,
            { num_heads: 2, ...(causal && { unidirectional: 1 }) },
            { domain: "com.microsoft" },
          ),
      }),
    ),
  },
};

describe("gradients agree with finite differences", () => {
  test("every rule is in this table", () => {
    expect(Object.keys(table).sort()).toEqual(differentiable);
  });

  test.each(Object.entries(table))("%s", async (_, { cases }) => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(1e6), async (one, seed) => {
        expect(await distance(one, seed)).toBeLessThan(0.01);
      }),
      { numRuns: 12 },
    );
  });

  test("rows of length 1", async () => {
    expect(await distance({ inputs: [[3, 5]], build: (g, [x]) => normalizeRows(g, x!) }, 3)).toBeLessThan(0.01);
  });
});

/** Gradients of the sum of what is built, at these numbers, and the sum. */
async function slopes(
  inputs: readonly { dims: Dims; data: readonly number[] }[],
  build: Case["build"],
  opset = 21,
): Promise<number[][]> {
  const g = graph({ opset });
  const values = inputs.map(({ dims }, i) => g.input(`x${i}`, "float32", dims));
  for (const [i, dx] of gradients(g, build(g, values), values).entries()) g.output(`d${i}`, dx);
  const session = await InferenceSession.create(encodeModel(g), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const out = await session.run(
    Object.fromEntries(inputs.map(({ dims, data }, i) => [`x${i}`, new OrtTensor("float32", data, dims)])),
  );
  await session.release();
  return inputs.map((_, i) => [...(out[`d${i}`]!.data as Float32Array)].map((value) => value + 0));
}
const vector = (...data: number[]) => ({ dims: [data.length], data });
const rowsOf = (...rows: number[][]) => ({ dims: [rows.length, rows[0]!.length], data: rows.flat() });

describe("where a slope is a convention, it is PyTorch's", () => {
  test("x^0 has none in x, 0^p none in p from p = 0 on", async () => {
    const [dx, dp] = await slopes([vector(0, 0, 1), vector(2, 0, 3)], (g, [x, p]) => g.op("Pow", [x, p]));
    expect(dx).toEqual([0, 0, 3]);
    expect(dp).toEqual([0, 0, 0]);
    const [constant] = await slopes([vector(0, 0, 2)], (g, [x]) => g.op("Pow", [x, g.floats([0, 2, 3])]));
    expect(constant).toEqual([0, 0, 12]);
  });

  test("equal extremes share it, in a reduction as between two tensors", async () => {
    const [row] = await slopes([rowsOf([2, 2, 1], [0, 3, 3])], (g, [x]) => g.op("ReduceMax", [x, g.ints([1])]));
    expect(row).toEqual([0.5, 0.5, 0, 0, 0.5, 0.5]);
    const both = await slopes([vector(1, 2), vector(1, 0)], (g, [a, b]) => g.op("Max", [a, b]));
    expect(both).toEqual([
      [0.5, 1],
      [0.5, 0],
    ]);
  });

  test("a clamp passes it at its bounds, and none beyond: a logit scale above 100 stays", async () => {
    const [dx] = await slopes([vector(-2, -1, 0, 1, 2)], (g, [x]) => g.op("Clip", [x, g.floats(-1), g.floats(1)]));
    expect(dx).toEqual([0, 1, 1, 1, 0]);
    const [ds] = await slopes([vector(5)], (g, [s]) => g.op("Clip", [g.op("Exp", [s]), undefined, g.floats(100)]));
    expect(ds).toEqual([0]);
  });

  test("a norm has none at zero and a whole one however short the vector, |x| none at 0, relu none", async () => {
    const [dx] = await slopes([rowsOf([0, 0], [3e-14, 4e-14])], (g, [x]) => g.op("ReduceL2", [x, g.ints([1])]));
    expect(dx!.map((value) => Number(value.toFixed(5)))).toEqual([0, 0, 0.6, 0.8]);
    expect(await slopes([vector(-1, 0, 1)], (g, [x]) => g.op("Abs", [x]))).toEqual([[-1, 0, 1]]);
    expect(await slopes([vector(-1, 0, 1)], (g, [x]) => g.op("Relu", [x]))).toEqual([[0, 0, 1]]);
    const [unit] = await slopes([rowsOf([0, 0])], (g, [x]) => g.op("LpNormalization", [x], { axis: 1 }));
    expect(unit!.every(Number.isFinite)).toBe(true);
  });

  test("a comparison has none: masks may be made of what is learned", async () => {
    const [dx] = await slopes([vector(-1, 2, 3)], (g, [x]) => {
      const isAbove = g.op("Cast", [g.op("Greater", [x, g.floats(0)])], { to: 1 });
      return mul(g, x!, isAbove);
    });
    expect(dx).toEqual([0, 1, 1]);
  });
});

test("group normalisation before opset 21 has one scale a group, which gets the sum over the group's channels", async () => {
  const x = { dims: [1, 4, 2], data: [1, 2, 4, 3, -1, 2, 0, 5] };
  const wide = await slopes([x, vector(1, 1, 2, 2), vector(0, 0, 0, 0)], (g, xs) =>
    g.op("Mul", [g.op("GroupNormalization", xs, { num_groups: 2 }), g.op("Exp", [xs[0]])]),
  );
  const narrow = await slopes(
    [x, vector(1, 2), vector(0, 0)],
    (g, xs) => g.op("Mul", [g.op("GroupNormalization", xs, { num_groups: 2 }), g.op("Exp", [xs[0]])]),
    20,
  );
  const summed = (all: number[]): number[] => [all[0]! + all[1]!, all[2]! + all[3]!];
  const expected = [wide[0]!, summed(wide[1]!), summed(wide[2]!)];
  for (const [i, own] of narrow.entries()) {
    for (const [j, value] of own.entries()) expect(value).toBeCloseTo(expected[i]![j]!, 2);
  }
});

describe("gradients", () => {
  test("a value that is used twice gets both parts, and one that is not used gets zeros", async () => {
    const g = graph();
    const [x, other] = [g.input("x", "float32", [2]), g.input("other", "float32", [3])];
    const [dx, zero] = gradients(g, sum(g, g.op("Add", [mul(g, x, x), x])), [x, other]);
    g.output("dx", dx!);
    g.output("zero", zero!);
    const session = await InferenceSession.create(encodeModel(g));
    const feeds = { x: new OrtTensor("float32", [3, -1], [2]), other: new OrtTensor("float32", [1, 1, 1], [3]) };
    const out = await session.run(feeds);
    expect([[...(out.dx!.data as Float32Array)], [...(out.zero!.data as Float32Array)]]).toEqual([
      [7, -1],
      [0, 0, 0],
    ]);
  });

  test("an operator without a rule is refused by its name", () => {
    const g = graph();
    const x = g.input("x", "float32", [2]);
    const y = g.op("Round", [x], {}, { name: "rounding" });
    try {
      gradients(g, sum(g, y), [x]);
      expect.unreachable();
    } catch (error) {
      expect(isSenseError(error, "BAD_MODEL") && error.message).toBe("Round (rounding) has no gradient rule");
    }
  });

  test("dropout in training mode passes what its own mask kept, as much greater as that is", async () => {
    const g = graph({ opset: 21 });
    const x = g.input("x", "float32", [64]);
    const isTraining = g.weight("training", { dims: [], data: Uint8Array.of(1) }, "bool");
    const y = g.op("Dropout", [x, g.floats(0.25), isTraining], { seed: 5 });
    const [dx] = gradients(g, sum(g, y), [x]);
    g.output("dx", dx!);
    g.output("y", y);
    const session = await InferenceSession.create(encodeModel(g), { logSeverityLevel: 3 });
    const out = await session.run({ x: new OrtTensor("float32", new Float32Array(64).fill(1), [64]) });
    const slopes = [...(out.dx!.data as Float32Array)];
    expect(slopes).toEqual([...(out.y!.data as Float32Array)]);
    expect(new Set(slopes)).toEqual(new Set([0, Math.fround(4 / 3)]));
  });

  test("a padding that repeats what is there is refused by its name", () => {
    const g = graph({ opset: 21 });
    const x = g.input("x", "float32", [5]);
    const y = g.op("Pad", [x, g.ints([2, 1])], { mode: "reflect" }, { name: "mirror" });
    expect(() => gradients(g, sum(g, y), [x])).toThrow(
      "Pad (mirror) has a gradient only where it fills up with a constant",
    );
  });

  test("a batch whose length is not known is refused with the operator's name", () => {
    const g = graph();
    const x = g.input("x", "float32", ["batch", 2]);
    const w = g.input("w", "float32", [2, 2]);
    const y = g.op("ReduceSum", [g.op("MatMul", [x, w])], { keepdims: 0 }, { name: "total" });
    expect(() => gradients(g, y, [w])).toThrow(/ReduceSum \(total\).*batch/);
  });
});
