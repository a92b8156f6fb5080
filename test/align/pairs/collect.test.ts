import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { collectPairs } from "../../../src/align/pairs/collect.js";
import { lagOf } from "../../../src/align/pairs/lag.js";
import { matchByTime } from "../../../src/align/pairs/match.js";
import type { Pair } from "../../../src/align/pairs/pair.js";
import { scenesOf, thinned } from "../../../src/align/pairs/scenes.js";
import { splitByTime } from "../../../src/align/pairs/split.js";
import { normalize } from "../../../src/core/embedding.js";
import { isSenseError, type SenseError } from "../../../src/core/errors.js";
import { gaussian, seeded } from "../../../src/core/random.js";
import { ms, s, us } from "../../../src/core/time.js";
import { anchor, at, second, sensed, streams, view } from "./streams.js";

const many = Array.from({ length: 50 }, (_, i) => i);

function failure(work: () => unknown): SenseError {
  try {
    work();
  } catch (error) {
    if (isSenseError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("pairs by event time", () => {
  const noise = seeded(1);
  const v = view(1, noise);
  const w = view(2, noise);

  test("a window goes with the frame nearest in time, whatever the order in which they came", () => {
    const matches = matchByTime([sensed(2, [2]), sensed(1, [1])], [anchor(2.1, w), anchor(1.4, v), anchor(0.9, v)], {
      tolerance: ms(150),
    });
    expect(matches.map(({ time, anchor }) => [time, anchor])).toEqual([
      [at(1), v],
      [at(2), w],
    ]);
  });

  test("a window without a frame within the tolerance is left out", () => {
    expect(matchByTime([sensed(1, [1]), sensed(9, [2])], [anchor(1, v), anchor(3, v)])).toHaveLength(1);
  });

  test("no pair is further apart than the tolerance, and no nearer frame was passed over", () => {
    const times = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(times, times, fc.integer({ min: 0, max: 500 }), (windows, frames, tolerance) => {
        const anchors = frames.map((t, i) => anchor(t / 1e3, view(i, noise)));
        const within = (t: number) => Math.min(...frames.map((f) => Math.abs(f - t))) <= tolerance;
        const expected = windows.filter(within).sort((a, b) => a - b);
        if (expected.length === 0) return;
        const matches = matchByTime(
          windows.map((t) => sensed(t / 1e3, [t])),
          anchors,
          { tolerance: ms(tolerance) },
        );
        expect(matches.map(({ time }) => time)).toEqual(expected.map((t) => at(t / 1e3)));
        for (const match of matches) {
          const own = anchors.filter(({ vector }) => vector === match.anchor).map((a) => Math.abs(a.time - match.time));
          expect(Math.min(...own)).toBe(Math.min(...anchors.map((a) => Math.abs(a.time - match.time))));
        }
      }),
    );
  });

  test("clocks a second apart are refused with both numbers", () => {
    const error = failure(() =>
      matchByTime([sensed(1, [1])], [anchor(1, v)], { tolerance: ms(250), clockError: s(1) }),
    );
    expect(error.code).toBe("CLOCKS_APART");
    expect(error.message).toContain("1s");
    expect(error.message).toContain("250ms");
  });

  test("streams that never meet are told how far apart they are", () => {
    const error = failure(() => matchByTime([sensed(3600, [1])], [anchor(0, v)]));
    expect([error.code, error.message]).toEqual(["CLOCKS_APART", expect.stringContaining("1h apart")]);
  });
});

describe("scenes", () => {
  const matches = (scenes: readonly number[]) => {
    const { windows, anchors } = streams(scenes);
    return matchByTime(windows, anchors);
  };

  test("the same view is one scene, also when the camera comes back to it; a stretch of it is one visit", () => {
    const pairs = scenesOf(matches([4, 4, 9, 4]));
    const seen = [...new Set(pairs.map(({ scene, visit }) => `${scene} ${visit}`))];
    expect(seen).toEqual(["0 0", "1 1", "0 2"]);
  });

  test("a visit keeps its first third as well as its last: what is left is spread over it", () => {
    const kept = thinned(scenesOf(matches([4, 4, 4, 9])), 3);
    expect(kept.map(({ time }) => (time - at(0)) / second)).toEqual([5, 15, 25, 31, 35, 38]);
  });

  test("too little variety is told by the numbers", () => {
    const error = failure(() => collectPairs(streams(many.slice(0, 14)), { scenes: 40 }));
    expect(error.code).toBe("TOO_LITTLE_VARIETY");
    expect(error.message).toBe("not enough variety yet: 14 of about 40 distinct scenes");
  });
});

describe("the split", () => {
  const pairs = scenesOf(matchByTime(streams(many).windows, streams(many).anchors));

  test.each(["spread", "last"] as const)("%s: no learning pair is within the guard of a held-out one", (place) => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 4, max: 30 }),
        (seed, guard, blocks) => {
          const { train, heldOut } = splitByTime(pairs, { seed, guard: s(guard), blocks, place });
          const nearest = Math.min(...train.flatMap((a) => heldOut.map((b) => Math.abs(a.time - b.time))));
          expect(nearest).toBeGreaterThan(guard * second);
          expect(train.some(({ visit }) => heldOut.some((pair) => pair.visit === visit))).toBe(false);
          expect(train.length + heldOut.length).toBeLessThanOrEqual(pairs.length);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("the last fifth is the last fifth", () => {
    const { heldOut } = splitByTime(pairs, { place: "last", blocks: 10 });
    expect(heldOut.map(({ time }) => time)).toEqual(pairs.slice(400).map(({ time }) => time));
  });

  test("one long look cannot be split", () => {
    const one = scenesOf(matchByTime(streams([1, 1, 1]).windows, streams([1, 1, 1]).anchors));
    expect(failure(() => splitByTime(one)).code).toBe("BAD_PAIRS");
  });
});

describe("a lag between the two", () => {
  /** What wanders about in four dimensions, seen four times a second and felt ten times a second, `late` seconds later. */
  function wandering(late: number, told = true) {
    const random = seeded(11);
    const path: number[][] = [[0, 0, 0, 0]];
    for (let i = 1; i < 2000; i++) path.push(path[i - 1]!.map((x) => 0.97 * x + 0.3 * gaussian(random)));
    const noise = () => 0.1 * gaussian(random);
    const where = (t: number): readonly number[] => path[Math.max(0, Math.min(1999, Math.round(t * 10)))]!;
    const basis = Array.from({ length: 5 }, (_, i) => view(i, seeded(i)));
    const anchorAt = (t: number) =>
      normalize(basis[4]!.map((x, d) => x + where(t).reduce((sum, share, i) => sum + 0.4 * share * basis[i]![d]!, 0)));
    return {
      ...{ sensor: "gas0", camera: "cam0" },
      anchors: Array.from({ length: 800 }, (_, i) => anchor(i / 4, anchorAt(i / 4))),
      windows: Array.from({ length: 1800 }, (_, i) => {
        const t = 10 + i / 10;
        return sensed(t, told ? where(t - late).map((x) => x + noise()) : [noise(), noise()]);
      }),
    };
  }

  test.each([-1.5, 0, 1, 2])("of %d s is found to within a frame", (late) => {
    const { windows, anchors } = wandering(late);
    const found = lagOf(windows, anchors)!;
    expect(Math.abs(found.lag / second - late)).toBeLessThanOrEqual(0.25);
    expect(found.within).toBe(ms(250));
  });

  test("is not invented for a sensor that has nothing to do with what is seen", () => {
    const { windows, anchors } = wandering(0, false);
    expect(lagOf(windows, anchors)).toBeUndefined();
  });

  test("of a second is the clocks' fault for a sensor that answers at once", () => {
    expect(collectPairs(wandering(0), { answers: "at once" }).lag).toMatchObject({ lag: us(0) });
    for (const [late, words] of [
      [1, "gas0 tells the same story as cam0, but 1.00 s later"],
      [-1, "gas0 tells the same story as cam0, but 1.00 s earlier"],
    ] as const) {
      const error = failure(() => collectPairs(wandering(late), { answers: "at once" }));
      expect([error.code, error.message]).toEqual(["CLOCKS_APART", expect.stringContaining(words)]);
    }
  });

  test("is made good for a sensor that answers late: a window goes with what was seen before", () => {
    const [late, prompt] = [wandering(2), wandering(0)];
    const felt = new Map(prompt.windows.map(({ time, input }) => [time as number, input.data]));
    const gap = (pairs: readonly Pair[]): number => {
      const gaps = pairs.flatMap(({ time, sensor }) => {
        const then = felt.get(time);
        return then ? [Math.hypot(...sensor.data.map((x, i) => x - then[i]!))] : [];
      });
      return gaps.reduce((sum, value) => sum + value, 0) / gaps.length;
    };
    const noiseOnly = 0.1 * Math.SQRT2 * 2;
    expect(gap(collectPairs(late, { answers: "late" }).train)).toBeLessThan(1.3 * noiseOnly);
    expect(gap(collectPairs(late).train)).toBeGreaterThan(2 * noiseOnly);
  });
});

describe("from streams to pairs", () => {
  test("the same streams and seed give the same pairs, another seed others", () => {
    const of = (seed: number) => collectPairs(streams(many), { seed });
    expect(of(3)).toEqual(of(3));
    expect(of(3).heldOut).not.toEqual(of(4).heldOut);
  });

  test("every window and pair is accounted for, a spoilt one once only", () => {
    const { windows, anchors, ...names } = streams(many);
    const spoilt = windows.map((w, i) => (i % 100 === 5 ? sensed((w.time - at(0)) / second, [Number.NaN, 1]) : w));
    const { train, heldOut, counts } = collectPairs(
      { ...names, windows: spoilt, anchors: anchors.slice(20) },
      { mostPerVisit: 4 },
    );
    expect(counts).toMatchObject({ windows: 500, frames: 480, spoilt: 5, unmatched: 19, scenes: 48, visits: 48 });
    const { spoilt: nan, unmatched, repeated, guarded } = counts;
    expect(nan + unmatched + repeated + guarded + train.length + heldOut.length).toBe(500);
  });

  test.each([
    [
      "NaN readings",
      (all: ReturnType<typeof streams>) => ({
        ...all,
        windows: all.windows.map((w, i) => (i % 3 ? w : sensed(i, [Number.NaN, 0]))),
      }),
      "167 of 500 windows of gas0 hold NaN",
    ],
    [
      "a sensor that never varies",
      (all: ReturnType<typeof streams>) => ({ ...all, windows: all.windows.map((_, i) => sensed(i, [20.5, 3])) }),
      "gas0 never varied",
    ],
    [
      "a sensor that gave nothing",
      (all: ReturnType<typeof streams>) => ({ ...all, windows: [] }),
      "gas0 gave no window",
    ],
    [
      "a camera that gave nothing",
      (all: ReturnType<typeof streams>) => ({ ...all, anchors: [] }),
      "cam0 gave no frame",
    ],
    [
      "dark frames",
      (all: ReturnType<typeof streams>) => ({ ...all, anchors: all.anchors.map((a) => ({ ...a, light: 0.004 })) }),
      "500 of 500 frames of cam0 are dark",
    ],
    [
      "a camera that sees the same throughout",
      (all: ReturnType<typeof streams>) => ({
        ...all,
        anchors: all.anchors.map((a) => ({ ...a, vector: all.anchors[0]!.vector })),
      }),
      "cam0 saw the same throughout",
    ],
  ])("%s: a message of its own", (_, spoil, message) => {
    const error = failure(() => collectPairs(spoil(streams(many))));
    expect([error.code, error.message]).toEqual(["BAD_PAIRS", expect.stringContaining(message)]);
    expect(error.hint).toBeTruthy();
  });
});
