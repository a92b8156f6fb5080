import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cosine, normalize, type UnitVector } from "../../src/core/embedding.js";
import { gaussian, seeded, shuffle } from "../../src/core/random.js";
import { type Concept, encodeConcepts } from "../../src/space/concept.js";
import type { ConceptEncoder } from "../../src/space/prompt.js";
import { ConceptText, describeConcept } from "../../src/space/schema.js";
import { scoreAll } from "../../src/space/score.js";

const dim = 16;
const level = { mean: 0, deviation: 0.05 };
const alike = { vision: { mean: 0.3, deviation: 0.1 }, audio: { mean: 0, deviation: 0.1 } };

/** Each text and each file has a direction of its own, the same whenever it is asked for. */
const vectorOf = (name: string): UnitVector => {
  const random = seeded([...name].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) >>> 0, 7));
  return normalize(Array.from({ length: dim }, () => gaussian(random)));
};

const calls: (readonly string[])[] = [];
const encoder: ConceptEncoder = {
  space: "toy:1",
  encodeText: async (texts) => {
    calls.push(texts);
    return texts.map((text) => ({ vector: vectorOf(text) }));
  },
  encodeExample: async (example) => {
    if (!("file" in example)) throw new Error("only files here");
    return { vector: vectorOf(example.file), modality: example.file.endsWith(".jpg") ? "vision" : "audio" };
  },
};

async function encode(concepts: Readonly<Record<string, unknown>>): Promise<readonly Concept[]> {
  const entries = Object.entries(concepts).map(([id, text]) => [id, ConceptText.parse(text)] as const);
  return encodeConcepts(entries, encoder, { modality: "audio", background: [], levels: { background: level, alike } });
}

const name = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(..."abcdefgh") });
const term = fc.oneof(
  name.map((text) => ({ text })),
  fc.record({ text: name, weight: fc.double({ min: 0.1, max: 3, noNaN: true }) }),
  fc.record({ example: name.map((file) => `${file}.wav`), weight: fc.double({ min: 0.1, max: 3, noNaN: true }) }),
  name.map((file) => ({ example: `${file}.jpg` })),
);
const recipe = fc.record({
  texts: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
  examples: fc.uniqueArray(
    name.map((file) => `${file}.wav`),
    { minLength: 1, maxLength: 3 },
  ),
  plus: fc.array(term, { minLength: 1, maxLength: 3 }),
  minus: fc.array(term, { minLength: 1, maxLength: 2 }),
});

const encodable = async (concepts: Readonly<Record<string, unknown>>): Promise<readonly Concept[]> => {
  try {
    return await encode(concepts);
  } catch (error) {
    // Random terms may cancel out, and that is refused.
    if ((error as { code?: string }).code === "BAD_CONFIG") return [];
    throw error;
  }
};

describe("a concept", () => {
  test("whatever it is made of, its vector has length 1, so that no cosine is out of bounds", async () => {
    await fc.assert(
      fc.asyncProperty(recipe, name, async (made, other) => {
        for (const { vector } of await encodable({ c: made })) {
          expect(cosine(vector, vector)).toBeCloseTo(1, 5);
          expect(Math.abs(cosine(vector, vectorOf(other)))).toBeLessThanOrEqual(1 + 1e-6);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("the order in which its terms are written changes no bit of it", async () => {
    await fc.assert(
      fc.asyncProperty(recipe, fc.nat(1000), async (made, seed) => {
        const random = seeded(seed);
        const shuffled = Object.fromEntries(
          Object.entries(made).map(([key, list]) => [key, shuffle<unknown>(list, random)]),
        );
        const [one] = await encodable({ c: made });
        const [other] = await encodable({ c: shuffled });
        expect(other?.vector).toEqual(one?.vector);
        expect(other?.background).toEqual(one?.background);
      }),
      { numRuns: 60 },
    );
  });

  test("a picture plus a sound lies between them, the heavier one nearer", async () => {
    const [even, heavy] = await encode({
      even: { plus: [{ example: "street.jpg" }, { example: "rain.wav" }] },
      heavy: {
        plus: [
          { example: "street.jpg", weight: 1 },
          { example: "rain.wav", weight: 4 },
        ],
      },
    });
    const [street, rain] = [vectorOf("street.jpg"), vectorOf("rain.wav")];
    expect(cosine(even!.vector, street)).toBeCloseTo(cosine(even!.vector, rain), 6);
    expect(cosine(heavy!.vector, rain)).toBeGreaterThan(cosine(even!.vector, rain));
  });

  test("may be made of other concepts, whichever comes first, and is then what they are", async () => {
    const [mean, plain] = await encode({ mean: { concepts: ["plain"] }, plain: "thunder" });
    expect(mean!.vector).toEqual(plain!.vector);
  });

  test("its own prompts replace those of the bundle, for the modality they are for", async () => {
    const [own, other] = await encode({
      own: { texts: "rain", prompts: { audio: ["the sound of {}"] } },
      other: { texts: "rain", prompts: { vision: "a photo of {}" } },
    });
    expect(own!.vector).toEqual(vectorOf("the sound of rain"));
    expect(other!.vector).toEqual(vectorOf("rain"));
  });

  test("all texts of all concepts are encoded in one call", async () => {
    calls.length = 0;
    await encode({ a: ["x", "y"], b: { texts: "z", minus: "x", not: "w" }, c: { concepts: "a" } });
    expect(calls.map((texts) => [...texts].sort())).toEqual([["w", "x", "y", "z"]]);
  });

  test("what unrelated content scores is known of examples as of words: a picture's cosine counts from where pictures start", async () => {
    const [words, picture, mixed] = await encode({
      words: "rain",
      picture: { examples: "street.jpg" },
      mixed: { plus: [{ text: "rain" }, { example: "street.jpg" }] },
    });
    expect(words!.background).toBe(undefined);
    expect(picture!.background!.mean).toBeCloseTo(alike.vision.mean, 6);
    expect(picture!.background!.deviation).toBeCloseTo(alike.vision.deviation, 6);
    const length = Math.hypot(...Array.from(vectorOf("rain"), (x, i) => (x + vectorOf("street.jpg")[i]!) / 2));
    expect(mixed!.background!.mean).toBeCloseTo(0.15 / length, 5);
    expect(mixed!.background!.deviation).toBeCloseTo(0.075, 6);
  });

  test("of whose cosines nothing is known, the sensor's own background decides", async () => {
    const entries = [["street", ConceptText.parse({ examples: "street.jpg" })]] as const;
    const [street] = await encodeConcepts(entries, encoder, { modality: "audio", background: [] });
    expect(street).toMatchObject({ uncalibrated: true, settings: { falseAlarms: 1 } });
  });

  test("made of each other in a circle, or of one that is not there, is refused by name", async () => {
    const circle = encode({
      a: { concepts: "b" },
      b: { plus: { concept: "c" } },
      c: { texts: "x", not: { concept: "a" } },
    });
    await expect(circle).rejects.toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringContaining("a -> b -> c -> a"),
    });
    await expect(encode({ a: { concepts: "bb" }, b: "x" })).rejects.toMatchObject({ code: "BAD_CONFIG" });
  });
});

test("a concept that is described reads back to the same", () => {
  fc.assert(
    fc.property(recipe, (made) => {
      const parsed = ConceptText.parse({ ...made, falseAlarms: "2/day", prompts: "a {}" });
      expect(ConceptText.parse(JSON.parse(JSON.stringify(describeConcept(parsed))))).toEqual(parsed);
    }),
  );
});

test("an example does not drown words: each is measured from its own floor", async () => {
  const scale = { logitScale: 20, logitBias: 0, background: level };
  const concepts = await encode({ words: "rain", picture: { examples: "street.jpg" } });
  const window = normalize(Array.from(vectorOf("rain"), (x, i) => 0.5 * x + 0.05 * gaussian(seeded(i))));
  const [words] = scoreAll(concepts, window, { scale });
  expect(words!.score).toBeGreaterThan(0.9);
});
