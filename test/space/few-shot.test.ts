import { describe, expect, test } from "vitest";
import { cosine, normalize } from "../../src/core/embedding.js";
import { gaussian, seeded } from "../../src/core/random.js";
import {
  classifyLinear,
  type Example,
  fewShotAccuracy,
  fitLinear,
  logits,
  prototype,
} from "../../src/space/few-shot.js";

const dim = 32;

/** Points around `classes` random directions; `spread` 1 puts as much noise as signal into each vector. */
function blobs(classes: number, each: number, { spread, seed }: { spread: number; seed: number }): Example[] {
  const random = seeded(seed);
  const centres = Array.from({ length: classes }, () => normalize(Array.from({ length: dim }, () => gaussian(random))));
  return centres.flatMap((centre, c) =>
    Array.from({ length: each }, () => ({
      label: `class ${c}`,
      vector: normalize(Array.from(centre, (value) => value + (spread * gaussian(random)) / Math.sqrt(dim))),
    })),
  );
}

describe("the linear classifier", () => {
  test("separates what is separable", () => {
    const examples = blobs(5, 20, { spread: 0.4, seed: 1 });
    const classifier = fitLinear(examples);
    for (const { label, vector } of examples) expect(classifyLinear(classifier, vector).label).toBe(label);
  });

  test("its weights stand where the regularised loss has no slope", () => {
    const examples = blobs(3, 10, { spread: 1.5, seed: 2 });
    const decay = 0.05;
    const classifier = fitLinear(examples, { decay, steps: 3000 });
    const loss = (weights: Float64Array): number => {
      const nll = examples.map(({ label, vector }) => {
        const values = logits({ ...classifier, weights }, vector);
        return (
          Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0)) - values[classifier.labels.indexOf(label)]!
        );
      });
      return (
        nll.reduce((a, b) => a + b, 0) / nll.length +
        (decay / 2) * weights.reduce((sum, value) => sum + value * value, 0)
      );
    };
    for (let i = 0; i < classifier.weights.length; i += 7) {
      const moved = (by: number) => classifier.weights.map((value, j) => (i === j ? value + by : value));
      expect(Math.abs(loss(moved(1e-4)) - loss(moved(-1e-4))) / 2e-4).toBeLessThan(1e-5);
    }
  });

  test("more examples help, and chance is where there is nothing to learn", () => {
    const random = seeded(3);
    const noisy = blobs(6, 40, { spread: 2.2, seed: 4 });
    const [one, eight] = [1, 8].map((shots) => fewShotAccuracy(noisy, { shots, draws: 8, random }).accuracy);
    expect(eight! - one!).toBeGreaterThan(0.1);
    const nothing = noisy.map((example, i) => ({ ...example, label: `class ${i % 6}` }));
    expect(fewShotAccuracy(nothing, { shots: 4, draws: 8, random }).accuracy).toBeLessThan(0.3);
  });

  test("the same seed gives the same figures", () => {
    const examples = blobs(4, 12, { spread: 1, seed: 5 });
    const run = () => fewShotAccuracy(examples, { shots: 2, draws: 3, random: seeded(9) });
    expect(run()).toEqual(run());
  });

  test("one class, or too few examples, is refused", () => {
    const examples = blobs(1, 3, { spread: 1, seed: 6 });
    expect(() => fitLinear(examples)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    const few = () => fewShotAccuracy(blobs(3, 2, { spread: 1, seed: 6 }), { shots: 2, draws: 1, random: seeded(1) });
    expect(few).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  });
});

test("a prototype moves from the words to the examples as they become more", () => {
  const words = normalize([1, 0]);
  const example = normalize([0, 1]);
  const near = (count: number) => cosine(prototype(Array(count).fill(example), words, 2), example);
  expect(near(1)).toBeLessThan(near(4));
  expect(near(100)).toBeGreaterThan(0.99);
  expect(cosine(prototype([], words), words)).toBeCloseTo(1);
});
