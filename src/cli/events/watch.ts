import type { Config } from "../../config.js";
import type { Embedding } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";
import type { Event } from "../../core/event.js";
import type { Micros } from "../../core/time.js";
import { type NodeFolders, openNode } from "../../pipeline/node.js";
import { replay } from "../../pipeline/replay.js";
import type { SensorConcepts } from "../../space/recognise.js";
import { scoreAll } from "../../space/score.js";
import type { Sight } from "./curve.js";
import type { Span } from "./match.js";

/** What a configuration makes of a recording. */
export interface Watched {
  readonly start: Micros;
  readonly end: Micros;
  readonly windows: number;
  readonly spans: readonly Span[];
  readonly sights: readonly Sight[];
}

/** Replays a recording and keeps its events whole, and by how much each window was above each concept's rivals. */
export async function watch(
  recording: string,
  config: Config,
  edge: { readonly folders: NodeFolders; readonly signal: AbortSignal },
): Promise<Watched> {
  const concepts = await conceptsOf(config, edge.folders);
  const open = new Map<string, Event>();
  const spans: Span[] = [];
  const sights: Sight[] = [];
  let [start, end, windows] = [Number.POSITIVE_INFINITY, 0, 0];
  for await (const message of replay(recording, config, edge)) {
    if (message.kind === "embedding") {
      const { embedding } = message;
      windows++;
      start = Math.min(start, embedding.from);
      end = Math.max(end, embedding.to);
      sights.push(...sightsOf(concepts, embedding));
    } else if (message.kind === "event") {
      const { event } = message;
      if (event.phase === "begin") open.set(event.id, event);
      if (event.phase === "end") spans.push(spanOf(open.get(event.id) ?? event, event));
    }
  }
  if (windows > 0) return { start: start as Micros, end: end as Micros, windows, spans, sights };
  throw new SenseError("BAD_RECORDING", `${recording} gave no window`, {
    hint: "Is it longer than a window of its sensors?",
  });
}

async function conceptsOf(config: Config, folders: NodeFolders): Promise<ReadonlyMap<string, SensorConcepts>> {
  await using node = await openNode(config, folders);
  return node.concepts;
}

const spanOf = (begin: Event, { sensor, concept, to }: Event): Span => ({
  ...{ sensor, concept, from: begin.from as Micros, to: to as Micros },
  told: begin.at as Micros,
});

function sightsOf(concepts: ReadonlyMap<string, SensorConcepts>, embedding: Embedding): readonly Sight[] {
  const asked = concepts.get(embedding.sensor);
  if (asked === undefined) return [];
  const { sensor, from, to, vector } = embedding;
  return scoreAll(asked.concepts, vector, { scale: asked.scale }).map(({ concept, margin }) => ({
    ...{ sensor, concept: concept.id, from, to, margin },
  }));
}
