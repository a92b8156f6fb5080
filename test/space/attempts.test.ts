import fc from "fast-check";
import { expect, test } from "vitest";
import { type Embedding, normalize } from "../../src/core/embedding.js";
import { Event } from "../../src/core/event.js";
import type { Micros } from "../../src/core/time.js";
import { Attempts } from "../../src/space/attempts.js";
import { encodeConcepts } from "../../src/space/concept.js";
import { blank, endAll, type Recognised, recognise, type SensorMemory } from "../../src/space/recognise.js";
import { ConceptText } from "../../src/space/schema.js";

const words: Readonly<Record<string, readonly number[]>> = { dog: [1, 0, 0], cat: [0, 1, 0], silence: [0, 0, 1] };
const encoder = {
  space: "toy:1",
  encodeText: async (texts: readonly string[]) => texts.map((text) => ({ vector: normalize(words[text]!) })),
};
const scale = { logitScale: 20, logitBias: 0, background: { mean: 0, deviation: 0.1 } };

async function asked(concepts: Readonly<Record<string, unknown>>) {
  const entries = Object.entries(concepts).map(([id, text]) => [id, ConceptText.parse(text)] as const);
  const encoded = await encodeConcepts(entries, encoder, { modality: "audio", background: ["silence"] });
  return { sensor: "mic", modality: "audio", space: "toy:1", concepts: encoded, scale } as const;
}

const at = (second: number, vector: readonly number[]): Embedding => ({
  ...{ sensor: "mic", modality: "audio", seq: second, space: "toy:1", vector: normalize(vector) },
  from: (second * 1e6) as Micros,
  to: ((second + 1) * 1e6) as Micros,
});

async function watch(concepts: Readonly<Record<string, unknown>>, windows: readonly (readonly number[])[]) {
  const sensor = await asked(concepts);
  const attempts = new Attempts();
  let memory: SensorMemory = blank;
  const said: Recognised[] = [];
  windows.forEach((vector, i) => {
    const embedding = at(i, vector);
    const step = recognise(sensor, memory, { node: "barn", embedding });
    memory = step.memory;
    attempts.add("mic", embedding.to, step.looks);
    said.push(...step.events);
  });
  const ended = endAll(sensor, memory, { node: "barn", at: (windows.length * 1e6) as Micros, reason: "shutdown" });
  return { report: attempts.report(), said: [...said, ...ended.events] };
}

const bark = [1, 0, 0.1];
const almost = [0.6, 0, 0.62];
const quiet = [0.1, 0, 1];

test("what did not fire is explained: when it came nearest, how far it fell short, and what it resembled instead", async () => {
  const { report } = await watch({ dog: "dog" }, [quiet, almost, quiet]);
  const [dog] = report;
  expect(dog).toMatchObject({
    events: 0,
    windows: 3,
    held: { score: 3 },
    nearest: { at: 2e6, rival: { of: "silence" } },
  });
  expect(dog!.nearest!.distance).toBeLessThan(0);
  expect(dog!.nearest!.margin - dog!.nearest!.distance!).toBeCloseTo(dog!.nearest!.threshold!, 9);
});

test("what was above but too short, or in its cooldown, is told apart from what was too low", async () => {
  const short = await watch({ dog: { texts: "dog", minOn: "5s" } }, [bark, bark, quiet]);
  expect(short.report[0]).toMatchObject({ events: 0, held: { minOn: 2, score: 1, cooldown: 0 } });
  const resting = await watch({ dog: { texts: "dog", cooldown: "1h" } }, [bark, quiet, bark]);
  expect(resting.report[0]).toMatchObject({ events: 1, held: { cooldown: 1 } });
});

test("while nothing is known of the background nothing fires, and the report says so", async () => {
  const { report } = await watch({ dog: { texts: "dog", falseAlarms: "1/day" } }, [quiet, bark]);
  expect(report[0]).toMatchObject({ events: 0, minutes: 0, nearest: { threshold: null, distance: null, at: 2e6 } });
});

test("each event carries its margin, the threshold that it passed, and its rival, in the form of the contract", async () => {
  const { said } = await watch({ dog: "dog", cat: "cat" }, [quiet, bark, quiet]);
  for (const event of said) expect(Event.safeParse({ ...event, seq: 0, latencyUs: 0 }).error).toBe(undefined);
  const { margin, threshold } = said[0]!.explain!;
  expect(margin).toBeGreaterThan(threshold!);
  expect(said.at(-1)!.explain!.margin).toBeLessThan(said.at(-1)!.explain!.threshold!);
});

test("whatever a stream is like, every begin has its end and nothing is said outside", async () => {
  const window = fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0.01, max: 1, noNaN: true })));
  await fc.assert(
    fc.asyncProperty(fc.array(window, { maxLength: 40 }), fc.nat(3), fc.nat(3), async (windows, on, off) => {
      const settings = { minOn: `${on}s`, minOff: `${off}s`, updateEvery: "1s" };
      const concepts = { dog: { texts: "dog", ...settings }, cat: { texts: "cat", ...settings, cooldown: "2s" } };
      const { said, report } = await watch(concepts, windows);
      for (const { concept, events } of report) {
        const phases = said.filter((event) => event.concept === concept);
        const begins = phases.filter(({ phase }) => phase === "begin");
        expect(begins).toHaveLength(events);
        expect(new Set(begins.map(({ id }) => id)).size).toBe(events);
        let open: string | undefined;
        for (const { phase, id, from, to } of phases) {
          expect(phase === "begin").toBe(open === undefined);
          if (open !== undefined) expect(id).toBe(open);
          expect(from).toBeLessThanOrEqual(to);
          open = phase === "end" ? undefined : id;
        }
        expect(open).toBe(undefined);
      }
    }),
    { numRuns: 60 },
  );
});
