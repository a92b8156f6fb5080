import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cosine, normalize, type UnitVector } from "../../src/core/embedding.js";
import { gaussian, seeded } from "../../src/core/random.js";
import { encodeConcepts } from "../../src/space/concept.js";
import { taughtBy } from "../../src/space/lesson.js";
import { ConceptText, describeConcept } from "../../src/space/schema.js";
import { scoreAll } from "../../src/space/score.js";
import { packVector, unpackVector } from "../../src/space/taught.js";
import { type Method, teach } from "../../src/space/teach.js";

const dim = 64;
const methods: readonly Method[] = ["prototype", "linear"];

/** A thing with its own direction, and a world that has others; `spread` is the noise beside the signal. */
function world(seed: number, spread = 0.8) {
  const random = seeded(seed);
  const direction = (): UnitVector => normalize(Array.from({ length: dim }, () => gaussian(random)));
  const near = (centre: UnitVector): UnitVector =>
    normalize(Array.from(centre, (x) => x + (spread * gaussian(random)) / Math.sqrt(dim)));
  const thing = direction();
  const others = Array.from({ length: 6 }, direction);
  return {
    things: (n: number) => Array.from({ length: n }, () => near(thing)),
    others: (n: number) => Array.from({ length: n }, (_, i) => near(others[i % others.length]!)),
    strangers: (n: number) => Array.from({ length: n }, direction),
    words: near(thing),
  };
}

const share = (vectors: readonly UnitVector[], { vector, threshold = 0 }: { vector: UnitVector; threshold?: number }) =>
  vectors.filter((one) => cosine(one, vector) >= threshold).length / vectors.length;

describe.each(methods)("taught by a few examples (%s)", (method) => {
  test("it is recognised where it is, and not in the background nor in what was never seen", () => {
    for (const seed of [1, 2, 3]) {
      const { things, others, strangers } = world(seed);
      const lesson = teach(things(3), { method, background: others(120) });
      expect(share(things(100), lesson)).toBeGreaterThan(0.8);
      expect(share(others(300), lesson)).toBeLessThan(0.05);
      expect(share(strangers(300), lesson)).toBeLessThan(0.05);
    }
  });

  test("one example is enough to find some of it, and little else", () => {
    const { things, others } = world(14, 0.5);
    const lesson = teach(things(1), { method, background: others(120) });
    expect(share(things(100), lesson)).toBeGreaterThan(0.3);
    expect(share(others(300), lesson)).toBeLessThan(0.05);
  });

  test("the expected precision is about what then comes", () => {
    const found = [4, 5, 6, 7].map((seed) => {
      const { things, others } = world(seed, 2.2);
      const lesson = teach(things(5), { method, background: others(200), share: 0.1 });
      const right = 0.1 * share(things(500), lesson);
      return { expected: lesson.expected!.precision, found: right / (right + 0.9 * share(others(1500), lesson)) };
    });
    const mean = (key: "expected" | "found") => found.reduce((sum, one) => sum + one[key] / found.length, 0);
    expect(Math.abs(mean("expected") - mean("found"))).toBeLessThan(0.2);
  });

  test("the order of its examples changes nothing that matters", () => {
    const { things, others } = world(8);
    const [examples, background] = [things(4), others(60)];
    const one = teach(examples, { method, background });
    const other = teach([...examples].reverse(), { method, background });
    expect(cosine(one.vector, other.vector)).toBeGreaterThan(0.9999);
  });
});

test("what was perceived before may hold the thing itself: it is recognised all the same", () => {
  const { things, others } = world(13);
  const lesson = teach(things(1), { background: [...others(80), ...things(20)] });
  expect(share(things(100), lesson)).toBeGreaterThan(0.8);
  expect(share(others(300), lesson)).toBeLessThan(0.05);
  expect(lesson.expected!.precision).toBeLessThan(0.1);
});

test("one example is drawn towards the words for it", () => {
  const { things, words } = world(9, 2);
  const [example] = things(1);
  expect(cosine(teach([example!], { words }).vector, words)).toBeGreaterThan(cosine(example!, words));
});

test("without background it says nothing of precision, and a linear classifier is refused", () => {
  const { things } = world(10);
  expect(Object.keys(teach(things(2)))).toEqual(["vector"]);
  expect(() => teach(things(2), { method: "linear" })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  expect(() => teach([])).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
});

test("a vector in a file is the vector, to the last bit", () => {
  const [vector] = world(11).strangers(1);
  expect(unpackVector(packVector(vector!)).every((x, i) => Math.abs(x - vector![i]!) < 1e-7)).toBe(true);
});

describe("a taught concept", () => {
  const { things, others } = world(12);
  const background = others(80);
  const taught = taughtBy({ space: "toy:1", modality: "audio", examples: things(3), background });
  const concept = ConceptText.parse({ texts: "thing", modalities: ["audio"], taught });
  const encoder = (space: string) => ({
    space,
    encodeText: async (texts: readonly string[]) => texts.map(() => ({ vector: things(1)[0]! })),
  });
  const options = { modality: "audio", background: [] } as const;

  test("reads back from its file to the same", () => {
    expect(ConceptText.parse(JSON.parse(JSON.stringify(describeConcept(concept))))).toEqual(concept);
  });

  test("has a score of one half at its threshold, and what is below it is none of it", async () => {
    const concepts = await encodeConcepts([["thing", concept]], encoder("toy:1"), options);
    const scale = { logitScale: 20, logitBias: 0, background: { mean: 0, deviation: 0.05 } };
    const score = (vector: UnitVector) => scoreAll(concepts, vector, { scale })[0]!.score;
    const { vector } = concepts[0]!;
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (wanted) => {
        const across = normalize(Array.from({ length: dim }, (_, i) => (i === 0 ? 1 : 0) - vector[0]! * vector[i]!));
        const at = normalize(Array.from(vector, (x, i) => wanted * x + Math.sqrt(1 - wanted ** 2) * across[i]!));
        const difference = cosine(at, vector) - taught.threshold!;
        expect(score(at) >= 0.5 || difference < 1e-6).toBe(true);
        expect(score(at) < 0.5 || difference > -1e-6).toBe(true);
      }),
    );
  });

  test("belongs to its space: another refuses it and says what to do", async () => {
    const elsewhere = encodeConcepts([["thing", concept]], encoder("toy:2"), options);
    await expect(elsewhere).rejects.toMatchObject({
      code: "SPACE_MISMATCH",
      message: expect.stringContaining("thing"),
    });
  });
});
