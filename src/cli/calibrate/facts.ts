import type { Answer, CalibrationFacts, Recall, WorstPair } from "../../align/report/facts.js";
import { chanceOf, recallOf, similarities } from "../../align/train/recall.js";
import { cosine, type UnitVector } from "../../core/embedding.js";
import type { Bundle } from "../../encoder/bundle.js";
import { backgroundWords } from "../../space/background-words.js";
import type { Calibrated } from "./calibrate.js";

/** A concept by its id and the words for it. */
export interface Words {
  readonly concept: string;
  readonly texts: readonly string[];
}

export interface FactsOptions {
  readonly sensor: string;
  readonly camera: string;
  readonly bundle: Bundle;
  /** Id of the bundle that is made. */
  readonly id: string;
  readonly words: readonly Words[];
  readonly seed: number;
}

/** Everything that a calibration has to say for itself. */
export async function factsOf(made: Calibrated, options: FactsOptions): Promise<CalibrationFacts> {
  const { sensor, camera, bundle, id, words, seed } = options;
  const { pairs, vectors, looks, after, before, step } = made;
  const anchors = pairs.heldOut.map(({ anchor }) => anchor);
  const scenes = pairs.heldOut.map(({ scene }) => scene);
  const named = await namesOf(words, made, bundle);
  const { spoilt, unmatched, repeated, guarded } = pairs.counts;
  const left = [
    ...(spoilt > 0 ? [`${spoilt} windows held readings that are no numbers`] : []),
    ...(unmatched > 0 ? [`${unmatched} windows had no frame of the camera near enough in time`] : []),
    ...(repeated > 0 ? [`${repeated} pairs showed the same scene for long`] : []),
    ...(guarded > 0 ? [`${guarded} pairs were too near in time to held-out ones`] : []),
    ...made.reduced.map((text) => `to keep to the memory, ${text}`),
  ];
  return {
    sensor,
    camera,
    bundle: { id, base: bundle.manifest.id, space: bundle.space },
    trained: made.plan.text,
    span: made.timed ? pairs.span : undefined,
    pairs: { train: pairs.train.length, heldOut: pairs.heldOut.length, scenes: pairs.counts.scenes, left },
    recall: {
      before: before && { ...before, n: anchors.length },
      after: { ...after, ...ranked(vectors, anchors) },
      back: { ...recallOf(anchors, vectors, scenes), ...ranked(anchors, vectors) },
      chance: chanceOf(scenes),
    },
    looks: looks.map(({ step: at, loss, heldOut }) => ({ step: at, loss, recall: heldOut })),
    best: step,
    similarity: similarities(vectors, anchors).map((row) => Float32Array.from(row)),
    worst: worstOf(made, anchors, named),
    answers: answersOf(words, vectors, anchors, named),
    verdict: {
      installed: true,
      reason: before
        ? "it finds more held-out frames than the encoder before it, and far more than guessing would"
        : "it finds far more held-out frames than guessing would",
    },
    seconds: made.seconds,
    seed,
  };
}

const rankOf = (row: UnitVector, own: UnitVector, all: readonly UnitVector[]): number => {
  const mine = cosine(row, own);
  return 1 + all.reduce((n, other) => (other !== own && cosine(row, other) >= mine ? n + 1 : n), 0);
};

function ranked(
  rows: readonly UnitVector[],
  anchors: readonly UnitVector[],
): Required<Pick<Recall, "medianRank" | "n">> {
  const ranks = rows.map((row, i) => rankOf(row, anchors[i]!, anchors)).sort((a, b) => a - b);
  return { medianRank: ranks[Math.floor((ranks.length - 1) / 2)]!, n: rows.length };
}

type Name = (vector: UnitVector, of: "camera" | "sensor") => string | undefined;

/** Which of the words a vector is nearest to, or none where it is nearer to words of nothing in particular. */
async function namesOf(words: readonly Words[], { modality }: Calibrated, bundle: Bundle): Promise<Name & Cosines> {
  const concepts = await Promise.all(
    words.map(async ({ concept, texts }) => ({
      concept,
      vectors: (await bundle.encodeText(texts, "vision")).map(({ vector }) => vector),
    })),
  );
  const nothing = {
    camera: (await bundle.encodeText(backgroundWords.vision, "vision")).map(({ vector }) => vector),
    sensor: (await bundle.encodeText(backgroundWords[modality], "vision")).map(({ vector }) => vector),
  };
  const best = (vector: UnitVector, all: readonly UnitVector[]): number =>
    all.reduce((most, other) => Math.max(most, cosine(vector, other)), -1);
  const name: Name = (vector, of) => {
    let found: string | undefined;
    let most = best(vector, nothing[of]);
    for (const { concept, vectors } of concepts) {
      const score = best(vector, vectors);
      if (score > most) [found, most] = [concept, score];
    }
    return found;
  };
  const cosines = new Map(concepts.map(({ concept, vectors }) => [concept, (v: UnitVector) => best(v, vectors)]));
  return Object.assign(name, { cosineWith: (concept: string, vector: UnitVector) => cosines.get(concept)!(vector) });
}

interface Cosines {
  cosineWith(concept: string, vector: UnitVector): number;
}

const mostWorst = 8;

function worstOf({ pairs, vectors }: Calibrated, anchors: readonly UnitVector[], name: Name): WorstPair[] {
  return pairs.heldOut
    .map(({ time, anchor }, i) => ({
      time,
      rank: rankOf(vectors[i]!, anchor, anchors),
      cosine: cosine(vectors[i]!, anchor),
      camera: name(anchor, "camera"),
      sensor: name(vectors[i]!, "sensor"),
    }))
    .sort((a, b) => b.rank - a.rank || a.cosine - b.cosine)
    .slice(0, mostWorst);
}

function answersOf(
  words: readonly Words[],
  vectors: readonly UnitVector[],
  anchors: readonly UnitVector[],
  name: Name & Cosines,
): Answer[] {
  const seen = anchors.map((anchor) => name(anchor, "camera"));
  const sensed = vectors.map((vector) => name(vector, "sensor"));
  const mean = (values: readonly number[]): number | undefined =>
    values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
  return words.map(({ concept, texts }) => {
    const cosines = vectors.map((vector) => name.cosineWith(concept, vector));
    return {
      concept,
      words: texts,
      camera: seen.filter((found) => found === concept).length,
      sensor: sensed.filter((found) => found === concept).length,
      both: seen.filter((found, i) => found === concept && sensed[i] === concept).length,
      cosineWith: mean(cosines.filter((_, i) => seen[i] === concept)),
      cosineWithout: mean(cosines.filter((_, i) => seen[i] !== concept)),
    };
  });
}
