import fc from "fast-check";
import { expect, test } from "vitest";
import { inputFor } from "../../src/cli/calibrate/before.js";
import type { SeriesRecipe } from "../../src/core/recipe.js";

const bare: SeriesRecipe = { kind: "series", input: "x", rate: 10, steps: 3, channels: ["a", "b"], short: "pad" };
const numbers = (n: number, least = -5) =>
  fc.array(fc.float({ min: least, max: 5, noNaN: true }), { minLength: n, maxLength: n });

test("a window that was made for a new encoder is what the old one's recipe would have made of the same readings", () => {
  const scale = fc.record({ mean: numbers(2), std: numbers(2, 0.5) });
  fc.assert(
    fc.property(numbers(6), scale, scale, (raw, now, was) => {
      const by = ({ mean, std }: { mean: number[]; std: number[] }) =>
        Float32Array.from(raw, (value, i) => (value - mean[Math.floor(i / 3)]!) / std[Math.floor(i / 3)]!);
      const input = { dims: [1, 2, 3], data: by(now) };
      const found = inputFor({ ...bare, ...was, input: "y", units: ["V", "V"] }, input, { ...bare, ...now });
      for (const [i, value] of by(was).entries()) expect(found!.data[i]).toBeCloseTo(value, 3);
      for (const [i, value] of raw.entries())
        expect(inputFor(bare, input, { ...bare, ...now })!.data[i]).toBeCloseTo(value, 3);
    }),
  );
});

test("the same recipe takes it as it is, and one of another length or kind cannot be told", () => {
  const input = { dims: [1, 2, 3], data: new Float32Array(6) };
  expect(inputFor(bare, input, { ...bare })).toBe(input);
  expect(inputFor({ ...bare, steps: 4 }, input, bare)).toBeUndefined();
  expect(
    inputFor({ kind: "thermal", input: "x", size: 2, range: "full", mean: 0, std: 1 }, input, bare),
  ).toBeUndefined();
});
