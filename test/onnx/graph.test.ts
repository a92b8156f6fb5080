import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnx } from "onnx-proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isSenseError } from "../../src/core/errors.js";
import { seeded } from "../../src/core/random.js";
import { tensor } from "../../src/core/tensor.js";
import { decodeModel } from "../../src/onnx/decode.js";
import { encodeModel } from "../../src/onnx/encode.js";
import { loadModel, saveModel } from "../../src/onnx/file.js";
import { type Graph, graph } from "../../src/onnx/graph.js";
import { toHalf } from "../../src/onnx/half.js";
import { run } from "./run.js";

const random = seeded(1);
const uniform = (dims: readonly number[]) =>
  tensor(
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
  );

/** x [batch, 4] to relu(x w) [batch, 3], and classes on top. */
function classifier(): Graph {
  const g = graph({ name: "classifier" });
  const x = g.input("x", "float32", ["batch", 4]);
  const features = g.op("Relu", [g.op("MatMul", [x, g.weight("w", uniform([4, 3]))])], {}, { name: "features" });
  g.output("features", features);
  const logits = g.op("MatMul", [features, g.weight("classes", uniform([3, 2000]))]);
  g.output("probabilities", g.op("Softmax", [logits], { axis: -1 }));
  return g;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sensebind-onnx-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("a graph that was built", () => {
  it("runs and computes what it says", async () => {
    const g = graph();
    const x = g.input("x", "float32", ["n", 2]);
    const y = g.op("MatMul", [x, g.weight("w", tensor([2, 2], Float32Array.of(1, 2, 3, 4)))]);
    g.output("y", g.op("Add", [y, g.floats([10, 20])]));
    const { y: out } = await run(g, { x: tensor([2, 2], Float32Array.of(1, 0, 0, 1)) });
    expect(out).toEqual({ dims: [2, 2], data: Float32Array.of(11, 22, 13, 24) });
  });

  it("knows types and shapes, symbolic ones too", () => {
    const g = graph();
    const x = g.input("x", "float32", ["batch", 8, 16]);
    const q = g.op("MatMul", [x, g.weight("w", uniform([16, 32]))]);
    expect(q.shape).toEqual(["batch", 8, 32]);
    const heads = g.op("Transpose", [g.op("Reshape", [q, g.ints([0, 8, 4, 8])])], { perm: [0, 2, 1, 3] });
    expect(heads.shape).toEqual(["batch", 4, 8, 8]);
    expect(g.op("ReduceMean", [heads], { axes: [-1], keepdims: 0 }).shape).toEqual(["batch", 4, 8]);
    expect(g.op("Slice", [x, g.ints([1]), g.ints([-1]), g.ints([1])]).shape).toEqual(["batch", 6, 16]);
    expect(g.op("Cast", [x], { to: 10 }).type).toBe("float16");
  });

  it("remembers how each value was made", () => {
    const g = graph();
    const x = g.input("x", "float32", [2, 2]);
    const y = g.op("Gelu", [x], { approximate: "none" });
    if (y.source.kind !== "node") throw new Error("not from a node");
    const { op, inputs, attributes } = y.source.node;
    expect({ op, inputs, attributes }).toEqual({ op: "Gelu", inputs: [x], attributes: { approximate: "none" } });
  });

  it("is refused with the operator's name where shapes do not fit", () => {
    const g = graph();
    const x = g.input("x", "float32", ["batch", 5]);
    expect(() => g.op("MatMul", [x, g.weight("w", uniform([4, 3]))], {}, { name: "fc1" })).toThrow(/MatMul \(fc1\).*5/);
  });

  it("is understood by the official protobuf description of ONNX", () => {
    const model = onnx.ModelProto.decode(encodeModel(classifier()));
    expect(model.opsetImport.map(({ version }) => Number(version))).toEqual([17]);
    expect(model.graph?.node?.map(({ opType }) => opType)).toEqual(["MatMul", "Relu", "MatMul", "Softmax"]);
    expect(model.graph?.node?.[3]?.attribute?.[0]).toMatchObject({ name: "axis", type: 2 });
    expect(Number(model.graph?.node?.[3]?.attribute?.[0]?.i)).toBe(-1);
    const [dim] = model.graph?.input?.[0]?.type?.tensorType?.shape?.dim ?? [];
    expect(dim?.dimParam).toBe("batch");
    expect(onnx.ModelProto.verify(model)).toBeNull();
  });

  it("carries float16, int8, uint8, int32 and int64 weights", async () => {
    const g = graph();
    const half = g.weight("half", tensor([2], toHalf(Float32Array.of(0.5, -2))));
    const parts = [
      half,
      g.weight("i8", tensor([2], Int8Array.of(-128, 127))),
      g.weight("u8", tensor([2], Uint8Array.of(0, 255))),
      g.weight("i32", tensor([2], Int32Array.of(-70000, 70000))),
      g.weight("i64", tensor([2], BigInt64Array.of(-(2n ** 40n), 2n ** 40n))),
    ];
    g.output(
      "y",
      g.op(
        "Concat",
        parts.map((part) => g.op("Cast", [part], { to: 1 })),
        { axis: 0 },
      ),
    );
    const { y } = await run(g, {});
    expect([...y!.data]).toEqual([0.5, -2, -128, 127, 0, 255, -70000, 70000, -(2 ** 40), 2 ** 40]);
  });

  it("may hold a loop whose body uses values from outside", async () => {
    const g = graph();
    const x = g.input("x", "float32", [2]);
    const body = g.body("body", (b) => {
      b.input("i", "int64", []);
      const go = b.input("go", "bool", []);
      const state = b.input("state", "float32", [2]);
      b.output("go_out", go);
      b.output("state_out", b.op("Mul", [state, x]));
    });
    const always = g.op("Cast", [g.ints(1)], { to: 9 });
    g.output("y", g.op("Loop", [g.ints(3), always, x], { body: { graph: body } }));
    const twice = decodeModel(encodeModel(g));
    for (const model of [g, twice]) {
      const { y } = await run(model, { x: tensor([2], Float32Array.of(2, 3)) });
      expect([...y!.data]).toEqual([16, 81]);
    }
  });
});

describe("a graph on disk", () => {
  it("puts large weights into another file at page boundaries and gives the same answer", async () => {
    const g = classifier();
    const feeds = { x: uniform([3, 4]) };
    const before = await run(g, feeds);
    const path = join(folder, "outside.onnx");
    await saveModel(g, path, { external: "outside.bin" });
    expect((await stat(path)).size).toBeLessThan(2000);
    expect((await stat(join(folder, "outside.bin"))).size).toBe(3 * 2000 * 4);
    expect(await run(path, feeds)).toEqual(before);
  });

  it("can lose its classes, get a head, and be saved elsewhere", async () => {
    await saveModel(classifier(), join(folder, "whole.onnx"), { external: "whole.bin" });
    const g = await loadModel(join(folder, "whole.onnx"));
    g.removeOutputs(["probabilities"]);
    expect(g.nodes.map(({ op }) => op)).toEqual(["MatMul", "Relu"]);
    const head = uniform([3, 2]);
    g.output("embedding", g.op("MatMul", [g.find("features"), g.weight("head", head)]));
    await saveModel(g, join(folder, "headed.onnx"));
    const feeds = { x: uniform([1, 4]) };
    const out = await run(join(folder, "headed.onnx"), feeds);
    const f = out.features!.data;
    const expected = [0, 1].map((j) => f[0]! * head.data[j]! + f[1]! * head.data[2 + j]! + f[2]! * head.data[4 + j]!);
    expect(out.embedding!.dims).toEqual([1, 2]);
    for (const [i, value] of expected.entries()) expect(out.embedding!.data[i]).toBeCloseTo(value, 5);
  });

  it("is not overwritten by the graph that still reads from it", async () => {
    const path = join(folder, "self.onnx");
    await saveModel(classifier(), path, { external: "self.bin" });
    const g = await loadModel(path);
    await expect(saveModel(g, path, { external: "self.bin" })).rejects.toSatisfy((e) =>
      isSenseError(e, "BAD_ARGUMENT"),
    );
  });

  it("gives the same bytes when read and written again", () => {
    const bytes = encodeModel(classifier());
    expect(encodeModel(decodeModel(bytes)).byteLength - bytes.byteLength).toBe("imported".length - "classifier".length);
  });
});

describe("bytes that are no model", () => {
  const whole = encodeModel(classifier());

  it("are refused at every length they are cut to, or read without the rest", () => {
    for (let length = 0; length < 400; length += 7) {
      try {
        decodeModel(whole.subarray(0, length));
      } catch (error) {
        expect(isSenseError(error, "BAD_MODEL"), String(error)).toBe(true);
      }
    }
  });

  it("are refused when a weight is shorter than its shape", () => {
    const model = onnx.ModelProto.decode(whole);
    model.graph!.initializer![0]!.rawData = new Uint8Array(5);
    expect(() => decodeModel(onnx.ModelProto.encode(model).finish())).toThrow(/weight w of shape \[4, 3\] has 5 bytes/);
  });

  it("may keep numbers in the old typed fields", () => {
    const model = onnx.ModelProto.decode(whole);
    const w = model.graph!.initializer![0]!;
    w.rawData = new Uint8Array(0);
    const proto = onnx.TensorProto.create({ name: "w", dims: [4, 3], dataType: 1, floatData: Array(12).fill(0.25) });
    model.graph!.initializer![0] = proto;
    const g = decodeModel(onnx.ModelProto.encode(model).finish());
    const [first] = g.weights;
    expect(first?.source.kind === "weight" && first.source.weight.storage).toMatchObject({
      bytes: new Uint8Array(Float32Array.from(Array(12).fill(0.25)).buffer),
    });
  });
});
