import { normalize, type UnitVector } from "../../core/embedding.js";
import type { Event } from "../../core/event.js";
import { gaussian, seeded } from "../../core/random.js";
import { micros } from "../../core/time.js";
import { encodeEmbedding } from "../../publish/embedding-format.js";
import { compile } from "../../rules/compile.js";
import { engine } from "../../rules/save.js";
import { ConceptText } from "../../space/schema.js";
import { scoreAll } from "../../space/score.js";
import { type Figure, medianMs } from "./figure.js";

const concepts = 20;
const events = 100_000;

/** An embedding against concepts, and to the bytes that go over the wire. */
export async function* vectorFigures(dim: number): AsyncGenerator<Figure> {
  const random = seeded(1);
  const vector = (): UnitVector => normalize(Float32Array.from({ length: dim }, () => gaussian(random)));
  const asked = Array.from({ length: concepts }, (_, i) => ({
    id: `c${i}`,
    modality: "vision" as const,
    space: "bench",
    vector: vector(),
    prompts: [{ text: `c${i}`, vector: vector() }],
    rivals: [],
    settings: ConceptText.parse(`c${i}`),
  }));
  const one = vector();
  const scale = { logitScale: 10, logitBias: 0, background: { mean: 0, deviation: 0.1 } };
  const many = 100;
  const scored = await medianMs(() => {
    for (let i = 0; i < many; i++) scoreAll(asked, one, { scale });
  });
  yield {
    stage: "space",
    what: `an embedding scored against ${concepts} concepts`,
    value: (scored * 1e3) / many,
    unit: "µs",
  };
  const embedding = {
    sensor: "cam0",
    modality: "vision",
    seq: 0,
    from: micros(0),
    to: micros(1),
    space: "bench",
    vector: one,
  } as const;
  const written = await medianMs(() => {
    for (let i = 0; i < many; i++) encodeEmbedding(embedding, { dtype: "float32", spaceTag: new Uint8Array(8) });
  });
  yield { stage: "publish", what: "an embedding to bytes", value: (written * 1e3) / many, unit: "µs" };
}

/** Events through ten rules over two sensors. */
export async function* ruleFigures(): AsyncGenerator<Figure> {
  const rules = Object.fromEntries(
    Array.from({ length: 10 }, (_, i) => [`r${i}`, { when: `mic.c${i} then cam.c${i} within 5s` }]),
  );
  const trace = Array.from({ length: events }, (_, i) => event(i));
  const running = engine(compile(rules), { node: "bench" });
  const began = performance.now();
  for (const each of trace) running.push({ kind: "event", event: each });
  running.push({ kind: "end" });
  const seconds = (performance.now() - began) / 1e3;
  yield { stage: "rules", what: "events through 10 rules", value: events / seconds, unit: "per second" };
}

/** Begins and ends of ten concepts in turn, a tenth of a second apart. */
function event(i: number): Event {
  const [turn, phase] = [i >> 1, i % 2 === 0 ? "begin" : "end"] as const;
  const [sensor, modality] = turn % 2 === 0 ? (["mic", "audio"] as const) : (["cam", "vision"] as const);
  const concept = `c${(turn >> 1) % 10}`;
  const at = 1e12 + i * 1e5;
  const from = 1e12 + turn * 2e5;
  return {
    ...{ v: 1, id: `${sensor}.${concept}.${turn}`, seq: i, node: "bench", sensor, modality, concept, phase },
    ...{ score: 0.9, from, to: at, at, space: "bench", latencyUs: 0 },
  };
}
