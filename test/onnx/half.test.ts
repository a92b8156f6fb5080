import * as fc from "fast-check";
import { expect, it } from "vitest";
import { fromBfloat16, fromHalf, fromHalfBits, toHalf, toHalfBits } from "../../src/onnx/half.js";

it("every float16 survives the way to float32 and back", () => {
  for (let bits = 0; bits < 65536; bits++) {
    const value = fromHalfBits(bits);
    if (Number.isNaN(value)) expect(fromHalfBits(toHalfBits(value))).toBeNaN();
    else expect(toHalfBits(value)).toBe(bits);
  }
});

it("rounding takes the nearest float16, ties to even", () => {
  fc.assert(
    fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (x) => {
      const value = Math.fround(x);
      const bits = toHalfBits(value);
      const error = Math.abs(fromHalfBits(bits) - value);
      for (const neighbour of [bits - 1, bits + 1]) {
        const other = fromHalfBits(neighbour & 0xffff);
        if (!Number.isFinite(other)) continue;
        const distance = Math.abs(other - value);
        if (distance < error || (distance === error && error > 0 && (bits & 1) === 1)) return false;
      }
      return true;
    }),
    { numRuns: 2000 },
  );
});

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
