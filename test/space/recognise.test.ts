import { describe, expect, test } from "vitest";
import { type Embedding, normalize, type UnitVector } from "../../src/core/embedding.js";
import type { Micros } from "../../src/core/time.js";
import { concerns, encodeConcepts, type TextEncoder } from "../../src/space/concept.js";
import { blank, endAll, recognise, type SensorConcepts, type SensorMemory } from "../../src/space/recognise.js";
import { ConceptText } from "../../src/space/schema.js";
import { scoreAll } from "../../src/space/score.js";

/** A space of three meanings: every word is a mixture of dog, cat and quiet. */
const words: Readonly<Record<string, readonly number[]>> = {
  dog: [1, 0, 0],
  puppy: [0.9, 0.1, 0],
  "a barking dog": [0.98, 0, 0.02],
  cat: [0, 1, 0],
  silence: [0, 0, 1],
};
const encoder: TextEncoder = {
  space: "toy:1",
  encodeText: async (texts) => texts.map((text) => ({ vector: normalize(words[text]!) })),
};
const scale = { logitScale: 20, logitBias: 0, background: { mean: 0, deviation: 0.1 } };

async function asked(concepts: Readonly<Record<string, unknown>>): Promise<SensorConcepts> {
  const entries = Object.entries(concepts).map(([id, text]) => [id, ConceptText.parse(text)] as const);
  const encoded = await encodeConcepts(entries, encoder, { modality: "audio", background: ["silence"] });
  return { sensor: "mic", modality: "audio", space: "toy:1", concepts: encoded, scale };
}

const at = (second: number, vector: UnitVector): Embedding => ({
  sensor: "mic",
  modality: "audio",
  seq: second,
  from: (second * 1e6) as Micros,
  to: ((second + 1) * 1e6) as Micros,
  space: "toy:1",
  vector,
});

const scoreOf = (sensor: SensorConcepts, vector: readonly number[], id: string): number =>
  scoreAll(sensor.concepts, normalize(vector), { scale }).find((score) => score.concept.id === id)!.score;

describe("a score", () => {
  test("is high for the concept, low for another, and low for what sounds like nothing", async () => {
    const sensor = await asked({ dog: "dog", cat: "cat" });
    expect(scoreOf(sensor, [1, 0.1, 0.1], "dog")).toBeGreaterThan(0.9);
    expect(scoreOf(sensor, [0.1, 1, 0.1], "dog")).toBeLessThan(0.1);
    expect(scoreOf(sensor, [0.3, 0.1, 1], "dog")).toBeLessThan(0.1);
  });

  test("nothing is an answer: what is near no concept scores low for all", async () => {
    const far = {
      space: "toy:1",
      encodeText: async (texts: readonly string[]) =>
        texts.map((_, i) => ({ vector: normalize([i === 0 ? 1 : 0, 0, 1e-9, i === 0 ? 0 : 1]) })),
    };
    const [dog] = await encodeConcepts([["dog", ConceptText.parse("dog")]], far, { modality: "audio", background: [] });
    expect(scoreAll([dog!], normalize([0.05, 0, 1, 0]), { scale })[0]!.score).toBeLessThan(0.2);
  });

  test("words that mean the same do not compete, so both can be true", async () => {
    const sensor = await asked({ dog: "dog", bark: "a barking dog" });
    expect(scoreOf(sensor, [1, 0, 0.1], "dog")).toBeGreaterThan(0.9);
    expect(scoreOf(sensor, [1, 0, 0.1], "bark")).toBeGreaterThan(0.9);
  });

  test("what is meant must beat what looks alike and is not meant", async () => {
    const plain = await asked({ dog: "dog" });
    const strict = await asked({ dog: { texts: "dog", not: "puppy" } });
    const puppy = [0.9, 0.1, 0];
    expect(scoreOf(plain, puppy, "dog")).toBeGreaterThan(0.9);
    expect(scoreOf(strict, puppy, "dog")).toBeLessThan(0.5);
  });

  test("does not depend on the order of a concept's words", async () => {
    const one = await asked({ dog: ["dog", "puppy", "a barking dog"] });
    const other = await asked({ dog: ["a barking dog", "dog", "puppy"] });
    expect(scoreOf(one, [0.7, 0.4, 0.1], "dog")).toBeCloseTo(scoreOf(other, [0.7, 0.4, 0.1], "dog"), 6);
  });
});

test("plus and minus words that leave nothing are refused", async () => {
  await expect(asked({ odd: { texts: "dog", minus: "dog" } })).rejects.toMatchObject({ code: "BAD_CONFIG" });
});

test("a concept concerns the sensors and modalities it names, or all", () => {
  const dog = ConceptText.parse({ texts: "dog", sensors: ["mic"] });
  expect([concerns(dog, "mic", "audio"), concerns(dog, "camera", "vision")]).toEqual([true, false]);
  const seen = ConceptText.parse({ texts: "dog", modalities: ["vision"] });
  expect([concerns(seen, "mic", "audio"), concerns(seen, "camera", "vision")]).toEqual([false, true]);
  expect(concerns(ConceptText.parse("dog"), "mic", "audio")).toBe(true);
});

describe("recognise", () => {
  const bark = normalize([1, 0, 0]);
  const quiet = normalize([0, 0, 1]);

  test("says begin, then end, of one event with one id, and why", async () => {
    const sensor = await asked({ dog: "dog", cat: "cat" });
    let memory: SensorMemory = blank;
    const said = [quiet, bark, bark, quiet].flatMap((vector, i) => {
      const step = recognise(sensor, memory, { node: "barn", embedding: at(i, vector) });
      memory = step.memory;
      return step.events;
    });
    expect(said.map(({ phase, concept, from, to }) => ({ phase, concept, from, to }))).toEqual([
      { phase: "begin", concept: "dog", from: 1e6, to: 2e6 },
      { phase: "end", concept: "dog", from: 1e6, to: 4e6 },
    ]);
    expect(new Set(said.map((event) => event.id)).size).toBe(1);
    expect(said[0]!.explain).toMatchObject({ cosine: 1, bestPrompt: "dog", runnerUp: { concept: "cat" } });
  });

  test("an event that is open when its sensor goes away gets its end and the reason", async () => {
    const sensor = await asked({ dog: "dog" });
    const { memory } = recognise(sensor, blank, { node: "barn", embedding: at(0, bark) });
    const { events } = endAll(sensor, memory, { node: "barn", at: 9e6 as Micros, reason: "sensor-lost" });
    expect(events).toMatchObject([{ phase: "end", reason: "sensor-lost", at: 9e6 }]);
  });

  test("never compares with a vector of another space", async () => {
    const sensor = await asked({ dog: "dog" });
    const foreign = { ...at(0, bark), space: "toy:2" };
    expect(() => recognise(sensor, blank, { node: "barn", embedding: foreign })).toThrow(
      expect.objectContaining({ code: "SPACE_MISMATCH" }),
    );
  });
});
