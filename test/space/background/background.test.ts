import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gaussian, seeded } from "../../../src/core/random.js";
import type { Micros } from "../../../src/core/time.js";
import { backgroundTail, noBlocks, observe, remembered } from "../../../src/space/background/blocks.js";
import { BackgroundFile } from "../../../src/space/background/file.js";
import { type Learned, nothingLearned, operatingPoint, refit } from "../../../src/space/background/operating-point.js";
import { FalseAlarms } from "../../../src/space/background/rate.js";
import { exceedance, exceededBy, fitTail, predictive } from "../../../src/space/background/tail.js";

/** A generalised Pareto number of scale 1: an exponential one for shape 0. */
const pareto = (shape: number, random: () => number): number => {
  const u = 1 - random();
  return shape === 0 ? -Math.log(u) : (u ** -shape - 1) / shape;
};
const survives = (shape: number, x: number): number =>
  shape === 0 ? Math.exp(-x) : Math.max(0, 1 + shape * x) ** (-1 / shape);

describe("the tail", () => {
  test.each([-0.2, -0.1, 0, 0.1, 0.2])(
    "of shape %d, seen for a week, gives the rate asked for within a factor 2",
    (shape) => {
      const random = seeded(11);
      const rates = Array.from({ length: 60 }, () => {
        const tail = fitTail(Float64Array.from({ length: remembered }, () => pareto(shape, random)).sort());
        return survives(shape, exceededBy(tail, 1 / 1440)) * 1440;
      }).sort((a, b) => a - b);
      expect(rates[30]).toBeGreaterThan(0.5);
      expect(rates[30]).toBeLessThan(2);
      // One week holds seven such alarms: nine fits of ten are within the factor too.
      expect(rates[5]).toBeGreaterThan(0.4);
      expect(rates[54]).toBeLessThan(2.2);
    },
  );

  test("exceedance and its threshold are each other's inverse", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -0.5, max: 0.3, noNaN: true }),
        fc.double({ min: 1e-5, max: 0.14, noNaN: true }),
        (shape, p) => {
          const tail = { anchor: 1, share: 0.15, scale: 0.3, shape };
          expect(exceedance(tail, exceededBy(tail, p))).toBeCloseTo(p, 6);
        },
      ),
    );
  });
});

test("asked for with its uncertainty in mind, a tail that was fitted to few keeps the rate on average too", () => {
  const random = seeded(12);
  const [p, count, draws] = [2e-4, 1000, 400];
  const mean = (corrected: boolean): number => {
    let sum = 0;
    for (let i = 0; i < draws; i++) {
      const tail = fitTail(Float64Array.from({ length: count }, () => pareto(0, random)).sort(), { share: 0.1 });
      sum += survives(0, exceededBy(tail, corrected ? predictive(tail, p, 100) : p)) / draws;
    }
    return sum / p;
  };
  expect(mean(true)).toBeLessThan(mean(false));
  expect(mean(true)).toBeGreaterThan(0.5);
  expect(mean(true)).toBeLessThan(2);
});

describe("events do not become background", () => {
  const background = (random: () => number) => Array.from({ length: remembered }, () => pareto(-0.1, random));

  test("forty events a week that stand out leave the threshold where it was", () => {
    const random = seeded(3);
    const maxima = background(random);
    const before = exceededBy(backgroundTail({ maxima })!, 1 / 1440);
    for (let i = 0; i < 40; i++) maxima[Math.floor(random() * maxima.length)] = 14 + gaussian(random);
    const after = exceededBy(backgroundTail({ maxima })!, 1 / 1440);
    expect(Math.abs(after - before)).toBeLessThan(0.5);
  });

  test("what recurs all day is background, however high", () => {
    const random = seeded(4);
    const maxima = background(random).map((value, i) => (i % 15 === 0 ? 14 + gaussian(random) : value));
    expect(exceededBy(backgroundTail({ maxima })!, 1 / 1440)).toBeGreaterThan(14);
  });

  test("confusable sounds that only the day brings do not lift the threshold beyond them, nor does what is common hide them", () => {
    const random = seeded(6);
    // Three blocks of four are quiet, one of thirty holds what resembles the concept: far out, but never above 0.57.
    const maxima = Array.from({ length: remembered }, (_, i) =>
      i % 30 === 0 ? 0.57 - 0.1 * random() ** 2 : 0.03 * pareto(-0.2, random),
    );
    const threshold = exceededBy(backgroundTail({ maxima })!, 1 / 1440);
    expect(threshold).toBeGreaterThan(0.55);
    expect(threshold).toBeLessThan(0.62);
  });

  test("the first morning is background and no event, though it stands out from the night", () => {
    const random = seeded(8);
    const night = Array.from({ length: 360 }, () => -0.06 + 0.01 * gaussian(random));
    const morning = Array.from({ length: 4 }, () => 0.5);
    const threshold = (maxima: readonly number[]) => exceededBy(backgroundTail({ maxima })!, 1 / 1440);
    expect(threshold(night)).toBeLessThan(0.02);
    expect(threshold([...night, ...morning])).toBeGreaterThan(0.1);
  });

  test("it never drifts up without end: after a loud week and a quiet one the threshold is the quiet one's", () => {
    const random = seeded(5);
    let blocks = noBlocks;
    const minute = (i: number) => (i * 60e6) as Micros;
    for (let i = 0; i < remembered; i++) blocks = observe(blocks, minute(i), 10 + pareto(0, random));
    for (let i = remembered; i <= 2 * remembered; i++) blocks = observe(blocks, minute(i), pareto(0, random));
    expect(exceededBy(backgroundTail(blocks)!, 1 / 1440)).toBeLessThan(10);
    expect(blocks.maxima.length).toBe(remembered);
  });
});

describe("the operating point", () => {
  const prior = { deviation: 0.1 };
  const learned = (count: number, seed: number): Learned => {
    const random = seeded(seed);
    let state = nothingLearned;
    for (let i = 0; i <= count; i++) {
      state = refit({ ...state, blocks: observe(state.blocks, (i * 60e6) as Micros, 0.05 * pareto(0, random)) });
    }
    return state;
  };

  test("is stricter the rarer a false alarm may be, whatever is known", () => {
    const known = [nothingLearned, learned(40, 1), learned(3000, 2)];
    const rate = fc.double({ min: 0.01, max: 200, noNaN: true });
    fc.assert(
      fc.property(fc.constantFrom(...known), rate, rate, (state, a, b) => {
        const [rare, often] = [Math.min(a, b), Math.max(a, b)];
        expect(operatingPoint(rare, state, prior).threshold).toBeGreaterThanOrEqual(
          operatingPoint(often, state, prior).threshold,
        );
      }),
    );
  });

  test("is never less strict than the bundle's own calibration, however quiet the sensor was", () => {
    const quiet = learned(5000, 3);
    const floor = operatingPoint(1, quiet, { deviation: 1 }).threshold;
    expect(floor).toBeGreaterThan(operatingPoint(1, quiet, { deviation: 0.01 }).threshold);
    expect(floor).toBeCloseTo(3.2 - 2, 1);
  });

  test("says how much it rests on, and moves from the bundle's knowledge to the sensor's own", () => {
    // In the first minutes nothing is known of the sensor, and nothing can be promised: no alarm.
    expect(operatingPoint(1, nothingLearned, prior)).toEqual({ threshold: Number.POSITIVE_INFINITY, blocks: 0 });
    expect(operatingPoint(1, learned(10, 3), prior).threshold).toBeLessThan(1);
    const own = 0.05 * Math.log(1440);
    const distance = (count: number) => Math.abs(operatingPoint(1, learned(count, 3), prior).threshold - own);
    expect(operatingPoint(1, learned(5000, 3), prior).blocks).toBe(5000);
    expect(distance(5000)).toBeLessThan(0.1);
  });
});

test.each([
  ["1/day", 1],
  ["0.2 / day", 0.2],
  ["7/week", 1],
  ["2/hour", 48],
  ["3/month", 0.1],
])("%s is %d a day", (text, rate) => {
  expect(FalseAlarms.parse(text)).toBeCloseTo(rate, 9);
});

test.each(["0/day", "often", "1/fortnight", "-1/day"])("%j is refused", (text) => {
  expect(FalseAlarms.safeParse(text).success).toBe(false);
});

describe("what was learned survives a restart", () => {
  const path = () => join(mkdtempSync(join(tmpdir(), "background-")), "state", "background.json");
  const learned = { dog: { blocks: { maxima: [0.1, 0.2], count: 2, current: { from: 3, highest: 0.3 } } } };

  test("in the same space", () => {
    const file = path();
    new BackgroundFile(file, "nano:1").save({ backgrounds: new Map([["mic", learned]]) });
    expect(new BackgroundFile(file, "nano:1").load()).toEqual({ backgrounds: new Map([["mic", learned]]) });
  });

  test("for the same scores only: other words or another encoder discard one concept's, and it says which", () => {
    const file = path();
    const both = new Map([["mic", { ...learned, cat: learned.dog }]]);
    const origins = new Map([["mic", { dog: "a", cat: "b" }]]);
    new BackgroundFile(file, "nano:1").save({ backgrounds: both, origins });
    expect(new BackgroundFile(file, "nano:1").load(origins)).toEqual({ backgrounds: both });
    expect(new BackgroundFile(file, "nano:1").load(new Map([["mic", { dog: "a", cat: "c" }]]))).toEqual({
      backgrounds: new Map([["mic", learned]]),
      discarded: expect.stringContaining("mic.cat"),
    });
  });

  test("a change of space discards it and says so; so does a damaged file", () => {
    const file = path();
    new BackgroundFile(file, "nano:1").save({ backgrounds: new Map([["mic", learned]]) });
    expect(new BackgroundFile(file, "nano:2").load()).toEqual({
      backgrounds: new Map(),
      discarded: expect.stringContaining("nano:1"),
    });
    writeFileSync(file, readFileSync(file).subarray(0, 20));
    expect(new BackgroundFile(file, "nano:1").load().discarded).toContain("damaged");
  });
});
