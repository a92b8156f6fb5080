import * as fc from "fast-check";
import { expect, it } from "vitest";
import { isSenseError } from "../../src/core/errors.js";
import { tensor } from "../../src/core/tensor.js";
import { decodeModel } from "../../src/onnx/decode.js";
import { encodeModel } from "../../src/onnx/encode.js";
import { graph } from "../../src/onnx/graph.js";

/** A model with every kind of thing that a reader meets: attributes, a body, weights inside and outside. */
function whole(): Uint8Array {
  const g = graph();
  const x = g.input("x", "float32", ["n", 4]);
  const w = g.weight("w", tensor([4, 4], new Float32Array(16).fill(0.5)));
  g.stored("far", { type: "int8", dims: [8], storage: { kind: "file", location: "f.bin", offset: 4096, length: 8 } });
  const y = g.op("Clip", [g.op("Gemm", [x, w], { alpha: 2, transB: 1 }), undefined, g.floats(6)]);
  const body = g.body("body", (b) => {
    b.input("i", "int64", []);
    const go = b.input("go", "bool", []);
    const state = b.input("state", "float32", ["n", 4]);
    b.output("go_on", go);
    b.output("next", b.op("Mul", [state, y], {}, { domain: "com.microsoft" }));
  });
  g.output("z", g.op("Loop", [g.ints(3), undefined, y], { body: { graph: body }, note: "text", sizes: [1, 2, 3] }));
  return encodeModel(g);
}

const readOrRefuse = (bytes: Uint8Array): void => {
  try {
    encodeModel(decodeModel(bytes));
  } catch (error) {
    if (!isSenseError(error)) throw error;
    expect(error.code).toBe("BAD_MODEL");
  }
};

it("any bytes are a model or refused as none", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), readOrRefuse), { numRuns: 2000 });
});

it("a model with changed, lost or doubled bytes is read or refused", () => {
  const bytes = whole();
  const change = fc.record({
    at: fc.nat(bytes.length - 1),
    drop: fc.nat(20),
    insert: fc.uint8Array({ maxLength: 10 }),
  });
  const property = fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
    let changed = Buffer.from(bytes);
    for (const { at, drop, insert } of changes) {
      changed = Buffer.concat([changed.subarray(0, at), insert, changed.subarray(at + drop)]);
    }
    readOrRefuse(changed);
  });
  fc.assert(property, { numRuns: 3000 });
});
