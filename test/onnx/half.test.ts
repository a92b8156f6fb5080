import { expect, it } from "vitest";
import { fromBfloat16, fromHalf, toHalf } from "../../src/onnx/half.js";

it("beyond the largest float16 comes infinity", () => {
  expect([...fromHalf(toHalf(Float32Array.of(65504, 65519, 65520, -1e9)))]).toEqual([
    65504,
    65504,
    Infinity,
    -Infinity,
  ]);
});

it("bfloat16 is the upper half of a float32", () => {
  expect([...fromBfloat16(Uint16Array.of(0x3f80, 0xc000, 0x3f00))]).toEqual([1, -2, 0.5]);
});
