import { type Embedding, sameSpace } from "../core/embedding.js";
import type { Event, Explanation } from "../core/event.js";
import type { Modality } from "../core/modality.js";
import type { Micros } from "../core/time.js";
import type { Concept } from "./concept.js";
import { type Scale, type Score, scoreAll } from "./score.js";
import { advance, type Track } from "./track.js";

/** An event before the node gives it its number. */
export type Recognised = Omit<Event, "seq" | "latencyUs">;

export interface SensorConcepts {
  readonly sensor: string;
  readonly modality: Modality;
  readonly space: string;
  readonly concepts: readonly Concept[];
  readonly scale: Scale;
}

/** Tracks by concept id. */
export type Tracks = Readonly<Record<string, Track>>;

/** Derives from node, sensor, concept and begin time, so that a message sent twice can be recognised. */
export const eventId = (node: string, sensor: string, concept: string, begin: Micros): string =>
  `${node}.${sensor}.${concept}.${begin.toString(36)}`;

function explain(score: Score, { background }: Scale): Explanation {
  const { cosine, bestPrompt, runnerUp } = score;
  return { cosine, background: { ...background }, bestPrompt, ...(runnerUp ? { runnerUp: { ...runnerUp } } : {}) };
}

/** One embedding against all concepts of its sensor. Throws `SPACE_MISMATCH` for one of another space. */
export function recognise(
  asked: SensorConcepts,
  tracks: Tracks,
  { node, embedding }: { readonly node: string; readonly embedding: Embedding },
): { readonly tracks: Tracks; readonly events: readonly Recognised[]; readonly scores: readonly Score[] } {
  sameSpace(asked.space, embedding.space);
  const { from, to } = embedding;
  const next: Record<string, Track> = { ...tracks };
  const events: Recognised[] = [];
  const scores = scoreAll(asked.concepts, embedding.vector, asked.scale);
  for (const score of scores) {
    const { id: concept, settings } = score.concept;
    const id = eventId(node, asked.sensor, concept, to);
    const before = tracks[concept] ?? {};
    const { track, phase } = advance(before, settings, { from, to, score: score.score, id });
    next[concept] = track;
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
      explain: explain(score, asked.scale),
    });
  }
  return { tracks: next, events, scores };
}

/** Ends every open event of a sensor: when it went away, or the node stops. */
export function endAll(
  asked: SensorConcepts,
  tracks: Tracks,
  { node, at, reason }: { readonly node: string; readonly at: Micros; readonly reason: NonNullable<Event["reason"]> },
): { readonly tracks: Tracks; readonly events: readonly Recognised[] } {
  const events = Object.entries(tracks).flatMap(([concept, { open }]): Recognised[] =>
    open
      ? [
          {
            v: 1,
            id: open.id,
            node,
            sensor: asked.sensor,
            modality: asked.modality,
            concept,
            phase: "end",
            score: open.score,
            from: open.from,
            to: open.to,
            at: Math.max(at, open.to),
            space: asked.space,
            reason,
          },
        ]
      : [],
  );
  return { tracks: {}, events };
}
