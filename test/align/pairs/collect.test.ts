import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { collectPairs } from "../../../src/align/pairs/collect.js";
import { matchByTime } from "../../../src/align/pairs/match.js";
import { scenesOf, thinned } from "../../../src/align/pairs/scenes.js";
import { splitByTime } from "../../../src/align/pairs/split.js";
import { isSenseError, type SenseError } from "../../../src/core/errors.js";
import { seeded } from "../../../src/core/random.js";
import { ms, s } from "../../../src/core/time.js";
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
