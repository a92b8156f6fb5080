import type { Micros } from "../core/time.js";
import type { ConceptText } from "./schema.js";

/** The event under way, and when its last message said which score. */
export interface Open {
  readonly id: string;
  readonly from: Micros;
  readonly to: Micros;
  readonly score: number;
  readonly said: { readonly at: Micros; readonly score: number };
}

/** What is known of one concept on one sensor between two windows: plain data that can be saved. */
export interface Track {
  readonly open?: Open;
  /** Since when the score has been at or above `on` without an event having begun. */
  readonly aboveSince?: { readonly from: Micros; readonly at: Micros };
  /** Since when the score has been below `off` with an event still open. */
  readonly belowSince?: Micros;
  readonly endedAt?: Micros;
}

export type Phase = "begin" | "update" | "end";

export interface Sighting {
  readonly from: Micros;
  readonly to: Micros;
  readonly score: number;
}

/** What one window did to a track, and what is to be said about it. */
export interface Step {
  readonly track: Track;
  readonly phase?: Phase;
  /** What kept an event from beginning: its score, its cooldown, or that it has not lasted for `minOn` yet. */
  readonly held?: Held;
}

export type Held = "score" | "cooldown" | "minOn";

/** Off is this much below on unless a concept says otherwise: an event should not flicker at its threshold. */
const hysteresis = 0.15;

export const offThreshold = (settings: ConceptText): number => settings.off ?? Math.max(0, settings.on - hysteresis);

function whileClosed(track: Track, settings: ConceptText, seen: Sighting, id: string): Step {
  const rest = track.endedAt === undefined ? {} : { endedAt: track.endedAt };
  const resting = track.endedAt !== undefined && seen.to - track.endedAt < settings.cooldown;
  if (seen.score < settings.on) return { track: rest, held: "score" };
  if (resting) return { track: rest, held: "cooldown" };
  const above = track.aboveSince ?? { from: seen.from, at: seen.to };
  if (seen.to - above.at < settings.minOn) return { track: { ...rest, aboveSince: above }, held: "minOn" };
  const open = { id, from: above.from, to: seen.to, score: seen.score, said: { at: seen.to, score: seen.score } };
  return { track: { open }, phase: "begin" };
}

/** An update is worth a message when the score moved this much. */
const notable = 0.1;

function update(open: Open, settings: ConceptText, rest: Omit<Track, "open">): Step {
  const due = open.to - open.said.at >= settings.updateEvery || Math.abs(open.score - open.said.score) >= notable;
  if (!due) return { track: { open, ...rest } };
  return { track: { open: { ...open, said: { at: open.to, score: open.score } }, ...rest }, phase: "update" };
}

function whileOpen(track: Track, settings: ConceptText, seen: Sighting): Step {
  const open = { ...track.open!, to: seen.to, score: seen.score };
  if (seen.score >= offThreshold(settings)) return update(open, settings, {});
  const below = track.belowSince ?? seen.to;
  if (seen.to - below < settings.minOff) return update(open, settings, { belowSince: below });
  return { track: { endedAt: seen.to }, phase: "end" };
}

/** One window's score moves a track on: begin, update, end, or nothing. `id` is used if an event begins here. */
export function advance(track: Track, settings: ConceptText, seen: Sighting & { readonly id: string }): Step {
  return track.open ? whileOpen(track, settings, seen) : whileClosed(track, settings, seen, seen.id);
}
