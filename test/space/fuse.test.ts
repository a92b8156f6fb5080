import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cosine, type Embedding, normalize } from "../../src/core/embedding.js";
import type { Duration, Micros } from "../../src/core/time.js";
import type { Fault } from "../../src/core/window.js";
import { Fusion, type FusionPlan, type Moment } from "../../src/space/fuse.js";
import { scaleOf } from "../../src/space/fused-concepts.js";

const second = (value: number) => (value * 1e6) as Micros & Duration;
const plan: FusionPlan = {
  sensor: "room",
  modality: "other",
  members: { camera: { reliability: 3, hold: second(2) }, mic: { reliability: 1, hold: second(2) } },
  every: second(1),
  patience: second(3),
};

interface Seen {
  readonly sensor: "camera" | "mic";
  readonly to: number;
  readonly vector?: readonly number[];
  readonly fault?: Fault;
  readonly coverage?: number;
}

const embeddingOf = ({ sensor, to, vector = sensor === "camera" ? [1, 0, 0] : [0, 1, 0] }: Seen): Embedding => ({
  ...{ sensor, modality: sensor === "camera" ? "vision" : "audio", seq: 0, space: "toy:1" },
  from: second(to - 1),
  to: second(to),
  vector: normalize(vector),
});

function fuse(seen: readonly Seen[], given = plan): Moment[] {
  const fusion = new Fusion(given);
  const moments = seen.flatMap((one) => [
    ...fusion.add(embeddingOf(one), { coverage: one.coverage ?? 1, ...(one.fault && { faults: [one.fault] }) }),
  ]);
  return [...moments, ...fusion.end()];
}

const told = (moments: readonly Moment[]): string[] =>
  moments.map(({ embedding, contributions }) => {
    const parts = contributions.map(({ sensor, weight, left }) => `${sensor} ${left ?? weight.toFixed(2)}`);
    return `${embedding.to / 1e6}: ${parts.join(", ")}`;
  });

const both = (...times: readonly number[]): Seen[] =>
  times.flatMap((to): Seen[] => [
    { sensor: "camera", to },
    { sensor: "mic", to },
  ]);

describe("several sensors at one moment", () => {
  test("are one vector, weighted by reliability and by how much of each window is real", () => {
    expect(told(fuse(both(1, 2)))).toEqual(["1: camera 0.75, mic 0.25", "2: camera 0.75, mic 0.25"]);
    const half = fuse([
      { sensor: "camera", to: 1, coverage: 0.5 },
      { sensor: "mic", to: 1 },
    ]);
    expect(told(half)).toEqual(["1: camera 0.60, mic 0.40"]);
    const [moment] = fuse(both(1));
    expect(cosine(moment!.embedding.vector, normalize([3, 1, 0]))).toBeCloseTo(1, 6);
    expect(moment!.length).toBeCloseTo(Math.hypot(0.75, 0.25), 6);
  });

  test.each(["dark", "silent", "clipped", "shutter", "stuck", "empty"] as const)(
    "go on without a window that is %s, and say so",
    (fault) => {
      const moments = fuse([
        { sensor: "camera", to: 1, fault },
        { sensor: "mic", to: 1 },
      ]);
      expect(told(moments)).toEqual([`1: camera ${fault}, mic 1.00`]);
    },
  );

  test("wait for one that is late, and go on without one that is missing or stale", () => {
    const late = fuse([{ sensor: "camera", to: 1 }, { sensor: "camera", to: 2 }, ...both(3).reverse()]);
    expect(told(late)).toEqual([
      "1: camera 1.00, mic absent",
      "2: camera 1.00, mic absent",
      "3: camera 0.75, mic 0.25",
    ]);
    const alone = [1, 2, 3, 4, 5].map((to): Seen => ({ sensor: "camera", to }));
    const lost = fuse([{ sensor: "mic", to: 1 }, ...alone]);
    expect(told(lost).slice(0, 3)).toEqual([
      "1: camera 0.75, mic 0.25",
      "2: camera 0.75, mic 0.25",
      "3: camera 1.00, mic stale",
    ]);
  });

  test("say nothing of a moment at which nobody says anything, and a night's gap costs nothing", () => {
    expect(
      fuse([
        { sensor: "camera", to: 1, fault: "dark" },
        { sensor: "mic", to: 1, fault: "silent" },
      ]),
    ).toEqual([]);
    const gap = told(fuse([...both(1), ...both(40_000)]));
    expect(gap.slice(0, 2)).toEqual(["1: camera 0.75, mic 0.25", "2: camera 0.75, mic 0.25"]);
    expect(gap.at(-1)).toBe("40000: camera 0.75, mic 0.25");
    expect(gap.length).toBe(3);
  });

  test("the order in which windows of different sensors arrive changes nothing", () => {
    const times = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(times, times, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (a, b, coin) => {
        const unhurried = { ...plan, patience: second(1000) };
        const camera = a.sort((x, y) => x - y).map((to): Seen => ({ sensor: "camera", to: to / 2 }));
        const mic = b.sort((x, y) => x - y).map((to): Seen => ({ sensor: "mic", to: to / 2 }));
        const mixed: Seen[] = [];
        const [left, right] = [[...camera], [...mic]];
        for (let i = 0; left.length + right.length > 0; i++) {
          const next = right.length === 0 || (coin[i % 40] && left.length > 0) ? left.shift() : right.shift();
          mixed.push(next!);
        }
        const firsts = [...camera, ...mic].sort((x, y) => x.to - y.to);
        // A fused sensor begins with the first window that arrives: later moments are the same whatever the order.
        const begun = Math.max(mixed[0]!.to, firsts[0]!.to);
        const later = (moments: readonly Moment[]) =>
          told(moments.filter(({ embedding }) => embedding.to >= second(Math.ceil(begun))));
        expect(later(fuse(mixed, unhurried))).toEqual(later(fuse(firsts, unhurried)));
      }),
    );
  });
});

test("evidence adds up: where the members agree the score is more certain than that of either", () => {
  const [moment] = fuse([
    { sensor: "camera", to: 1, vector: [1, 0, 0] },
    { sensor: "mic", to: 1, vector: [1, 0, 0] },
  ]);
  const scales = {
    camera: { logitScale: 3, logitBias: 0, background: { mean: 0, deviation: 0.1 } },
    mic: { logitScale: 1, logitBias: 0, background: { mean: 0, deviation: 0.1 } },
  };
  const scale = scaleOf(moment!, scales, plan);
  expect(scale.logitScale).toBeCloseTo(4, 6);
  expect(scale.background.deviation).toBeLessThan(0.1);
});
