import { cosine as cosineOf, type Embedding, sameSpace } from "../core/embedding.js";
import type { Event, Explanation } from "../core/event.js";
import type { Modality } from "../core/modality.js";
import type { Micros } from "../core/time.js";
import { observe } from "./background/blocks.js";
import { type Learned, nothingLearned, operatingPoint, refit } from "./background/operating-point.js";
import type { Concept } from "./concept.js";
import type { Contribution } from "./fuse.js";
import { type Scale, type Score, scoreAll } from "./score.js";
import { advance, type Step, type Track } from "./track.js";

/** An event before the node gives it its number. */
export type Recognised = Omit<Event, "seq" | "latencyUs">;

export interface SensorConcepts {
  readonly sensor: string;
  readonly modality: Modality;
  readonly space: string;
  readonly concepts: readonly Concept[];
  readonly scale: Scale;
  /** Of a fused sensor: what its members perceive. */
  readonly modalities?: readonly Modality[];
}

/** What is known of a sensor between two windows, by concept id: plain data that can be saved. */
export interface SensorMemory {
  readonly tracks: Readonly<Record<string, Track>>;
  /** The background of each concept with a false-alarm rate. */
  readonly learned: Readonly<Record<string, Learned>>;
}

export const blank: SensorMemory = { tracks: {}, learned: {} };

/** Derives from node, sensor, concept and begin time, so that a message sent twice can be recognised. */
export const eventId = (node: string, sensor: string, concept: string, begin: Micros): string =>
  `${node}.${sensor}.${concept}.${begin.toString(36)}`;

/** What one window was to one concept, whether or not anything was said about it. */
export interface Look {
  readonly score: Score;
  /** The margin at which an event begins; infinite while too little is known of the background to allow one. */
  readonly needed: number;
  /** Minutes of its own background that this rests on; undefined for a concept without a false-alarm rate. */
  readonly minutes: number | undefined;
  readonly step: Pick<Step, "phase" | "held">;
}

function neededFor(score: Score, { logitScale, logitBias }: Scale): number {
  const { on } = score.concept.settings;
  return score.threshold + (Math.log(on / (1 - on)) - logitBias) / logitScale;
}

function explain(
  { score, needed, minutes }: Omit<Look, "step">,
  { background }: Scale,
  contributions?: readonly Contribution[],
): Explanation {
  const { concept, cosine, bestPrompt, margin, rival, runnerUp } = score;
  const { mean, deviation } = concept.background ?? background;
  return {
    cosine,
    background: { mean, deviation, ...(minutes !== undefined && { minutes }) },
    bestPrompt,
    margin,
    ...(Number.isFinite(needed) && { threshold: needed }),
    rival: { of: rival.of, margin: rival.excess },
    ...(runnerUp ? { runnerUp: { ...runnerUp } } : {}),
    ...(contributions && { contributors: contributions.map((one) => contributor(one, concept)) }),
  };
}

function contributor({ sensor, weight, vector, left }: Contribution, concept: Concept) {
  return {
    sensor,
    weight,
    ...(vector && { cosine: cosineOf(vector, concept.vector) }),
    ...(left !== undefined && { left }),
  };
}

export interface Recognition {
  readonly node: string;
  readonly embedding: Embedding;
  /** Who is in the vector of a fused sensor. */
  readonly contributions?: readonly Contribution[] | undefined;
}

/** One embedding against all concepts of its sensor. Throws `SPACE_MISMATCH` for one of another space. */
export function recognise(
  asked: SensorConcepts,
  memory: SensorMemory,
  { node, embedding, contributions }: Recognition,
): { readonly memory: SensorMemory; readonly events: readonly Recognised[]; readonly looks: readonly Look[] } {
  sameSpace(asked.space, embedding.space);
  const { from, to } = embedding;
  const tracks: Record<string, Track> = { ...memory.tracks };
  const events: Recognised[] = [];
  const looks: Look[] = [];
  const threshold = (concept: Concept): number => thresholdOf(concept, memory.learned[concept.id], asked.scale);
  const scores = scoreAll(asked.concepts, embedding.vector, { scale: asked.scale, threshold });
  for (const score of scores) {
    const { id: concept, settings } = score.concept;
    const id = eventId(node, asked.sensor, concept, to);
    const before = tracks[concept] ?? {};
    const { track, ...step } = advance(before, settings, { from, to, score: score.score, id });
    const { phase } = step;
    tracks[concept] = track;
    const minutes = settings.falseAlarms === undefined ? undefined : (memory.learned[concept]?.blocks.count ?? 0);
    const look = { score, needed: neededFor(score, asked.scale), minutes, step };
    looks.push(look);
    if (!phase) continue;
    const open = track.open ?? before.open!;
    events.push({
      v: 1,
      id: open.id,
      node,
      sensor: asked.sensor,
      modality: asked.modality,
      concept,
      phase,
      score: score.score,
      from: open.from,
      to,
      at: to,
      space: asked.space,
      explain: explain(look, asked.scale, contributions),
    });
  }
  return { memory: { tracks, learned: learn(memory.learned, scores, to) }, events, looks };
}

/** The margin that the operating point of a concept asks for; 0 where it has none. */
export function thresholdOf(concept: Concept, learned: Learned | undefined, scale: Scale): number {
  const { falseAlarms } = concept.settings;
  if (falseAlarms === undefined) return 0;
  return operatingPoint(falseAlarms, learned ?? nothingLearned, concept.background ?? scale.background).threshold;
}

/** Every window is background until its minute stands out from the others: see background/blocks.ts. */
function learn(learned: SensorMemory["learned"], scores: readonly Score[], at: Micros): SensorMemory["learned"] {
  const calibrated = scores.filter(({ concept }) => concept.settings.falseAlarms !== undefined);
  if (calibrated.length === 0) return learned;
  const next = calibrated.map(({ concept: { id, settings }, margin }) => {
    const { blocks, ...rest } = learned[id] ?? nothingLearned;
    return [id, refit({ ...rest, blocks: observe(blocks, at, margin) }, settings.falseAlarms)] as const;
  });
  return { ...learned, ...Object.fromEntries(next) };
}

/** When and why open events end. */
export interface Ending {
  readonly node: string;
  readonly at: Micros;
  readonly reason: NonNullable<Event["reason"]>;
  /** Of these concepts; of all unless given. */
  readonly only?: readonly string[];
}

/**
 * Ends open events of a sensor: when it went away, the node stops, or a concept is gone. What was learned of a concept
 * that is gone is forgotten.
 */
export function endAll(
  asked: SensorConcepts,
  memory: SensorMemory,
  { node, at, reason, only }: Ending,
): { readonly memory: SensorMemory; readonly events: readonly Recognised[] } {
  const ends = ([concept]: readonly [string, unknown]): boolean => only?.includes(concept) ?? true;
  const tracks = Object.entries(memory.tracks);
  const events = tracks.filter(ends).flatMap(([concept, { open }]): Recognised[] => {
    if (!open) return [];
    const { id, from, to, score } = open;
    const { sensor, modality, space } = asked;
    const about = { v: 1, id, node, sensor, modality, concept, space } as const;
    return [{ ...about, phase: "end", score, from, to, at: Math.max(at, to), reason }];
  });
  const kept = (entry: readonly [string, unknown]): boolean => !ends(entry);
  const learned = only ? Object.fromEntries(Object.entries(memory.learned).filter(kept)) : memory.learned;
  return { memory: { tracks: Object.fromEntries(tracks.filter(kept)), learned }, events };
}
