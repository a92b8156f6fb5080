import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Block } from "../../src/core/reading.js";
import { SeriesRecipe } from "../../src/core/recipe.js";
import { hz, micros } from "../../src/core/time.js";
import { resampleSeries, seriesWindows } from "../../src/window/series.js";

const rates = fc.double({ min: 5, max: 1000, noNaN: true });

describe("resampleSeries", () => {
  test("gravity stays gravity, at any two rates, up to the ends", () => {
    fc.assert(
      fc.property(rates, rates, fc.integer({ min: 1, max: 60 }), (from, to, length) => {
        const out = resampleSeries(new Float32Array(length).fill(9.81), { from, to });
        expect(out.length).toBe(from === to ? length : Math.max(1, Math.round((length * to) / from)));
        for (const value of out) expect(value).toBeCloseTo(9.81, 5);
      }),
    );
  });

  test.each([
    [100, 200],
    [200, 50],
    [99.7, 400],
    [1000, 50],
  ])("a movement of 3 Hz is the same at %d and %d Hz", (from, to) => {
    const motion = (rate: number, count: number) =>
      Float32Array.from({ length: count }, (_, i) => Math.sin((6 * Math.PI * i) / rate));
    const out = resampleSeries(motion(from, from * 2), { from, to });
    const expected = motion(to, out.length);
    for (let i = to / 5; i < out.length - to / 5; i++)
      expect(Math.abs(out[Math.floor(i)]! - expected[Math.floor(i)]!)).toBeLessThan(0.01);
  });

  test("a vibration above the new Nyquist frequency does not fold into the window", () => {
    const vibration = Float32Array.from({ length: 2000 }, (_, i) => Math.sin((2 * Math.PI * 90 * i) / 200));
    const out = resampleSeries(vibration, { from: 200, to: 50 });
    for (const value of out.subarray(20, -20)) expect(Math.abs(value)).toBeLessThan(0.01);
  });

  test("a window that rounding left a sample short is whole", () => {
    const input = new Float32Array(499).fill(1);
    expect(resampleSeries(input, { from: 99.7, to: 400, expected: 2000 })).toHaveLength(2000);
    expect(resampleSeries(input, { from: 99.7, to: 400, expected: 1900 })).toHaveLength(2002);
  });
});

describe("seriesWindows", () => {
  const recipe = SeriesRecipe.parse({ kind: "series", input: "x", rate: 10, steps: 4, channels: ["b", "a"] });
  const block = (rows: number, channels = ["a", "b", "c"]): Block => ({
    kind: "block",
    modality: "imu",
    time: micros(0),
    channels,
    rate: hz(10),
    data: Float32Array.from({ length: rows * channels.length }, (_, i) => i),
  });

  test("channels are taken by name, in the recipe's order, and normalised one by one", () => {
    const { dims, data } = seriesWindows(block(4), { ...recipe, mean: [1, 0], std: [1, 2] });
    expect(dims).toEqual([1, 2, 4]);
    expect([...data]).toEqual([0, 3, 6, 9, 0, 1.5, 3, 4.5]);
  });

  test("a long file is one window every hop, the rest left out", () => {
    const one = { ...recipe, channels: ["a"] };
    expect(seriesWindows(block(11, ["a"]), one).dims).toEqual([2, 1, 4]);
    const { dims, data } = seriesWindows(block(11, ["a"]), one, 0.2);
    expect(dims).toEqual([4, 1, 4]);
    expect([...data]).toEqual([0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7, 8, 9]);
  });

  test("a short file is padded before normalising, or repeated", () => {
    const one = { ...recipe, channels: ["a"], mean: [1] };
    expect([...seriesWindows(block(3, ["a"]), one).data]).toEqual([-1, 0, 1, -1]);
    expect([...seriesWindows(block(3, ["a"]), { ...one, short: "repeat" }).data]).toEqual([-1, 0, 1, -1]);
    expect([...seriesWindows(block(2, ["a"]), { ...one, short: "repeat" }).data]).toEqual([-1, 0, -1, 0]);
  });

  test("a sensor without a channel is named, with what it gives", () => {
    expect(() => seriesWindows(block(4, ["a", "c"]), recipe)).toThrow(
      expect.objectContaining({ code: "MODEL_MISMATCH", message: expect.stringContaining("a c") }),
    );
  });
});
