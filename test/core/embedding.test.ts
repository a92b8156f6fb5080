import fc from "fast-check";
import { expect, test } from "vitest";
import { cosine, normalize, sameSpace } from "../../src/core/embedding.js";

const vector = fc
  .array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 4, maxLength: 4 })
  .filter((values) => Math.hypot(...values) > 1e-3);

test("a normalised vector has length 1 and a cosine is between -1 and 1", () => {
  fc.assert(
    fc.property(vector, vector, (a, b) => {
      const [u, v] = [normalize(a), normalize(b)];
      expect(cosine(u, u)).toBeCloseTo(1, 5);
      expect(Math.abs(cosine(u, v))).toBeLessThanOrEqual(1 + 1e-6);
    }),
  );
});

test.each([[[0, 0]], [[Number.NaN, 1]], [[Number.POSITIVE_INFINITY, 1]]])(
  "%j has no direction and is refused",
  (values) => {
    expect(() => normalize(values)).toThrow(expect.objectContaining({ code: "BAD_TENSOR" }));
  },
);

test("vectors of two spaces are never compared", () => {
  expect(() => sameSpace("nano:1", "nano:2")).toThrow(expect.objectContaining({ code: "SPACE_MISMATCH" }));
});
