import * as fc from "fast-check";
import { expect, it } from "vitest";
import { fromFloat16, toFloat16 } from "../../src/core/float16.js";

it("every float16 survives the way to float32 and back", () => {
  for (let bits = 0; bits < 65536; bits++) {
    const value = fromFloat16(bits);
    if (Number.isNaN(value)) expect(fromFloat16(toFloat16(value))).toBeNaN();
    else expect(toFloat16(value)).toBe(bits);
  }
});

it("rounding takes the nearest float16, ties to even", () => {
  const range = { min: -65504, max: 65504, noNaN: true };
  fc.assert(
    fc.property(fc.oneof(fc.double(range).map(Math.fround), fc.float(range)), (value) => {
      const bits = toFloat16(value);
      const error = Math.abs(fromFloat16(bits) - value);
      for (const neighbour of [bits - 1, bits + 1]) {
        const other = fromFloat16(neighbour & 0xffff);
        if (!Number.isFinite(other)) continue;
        const distance = Math.abs(other - value);
        if (distance < error || (distance === error && error > 0 && (bits & 1) === 1)) return false;
      }
      return true;
    }),
    { numRuns: 3000 },
  );
});
