import type { Micros } from "../core/time.js";
import type { Look } from "./recognise.js";
import type { Held } from "./track.js";

/** The window of a sensor that came nearest to a concept's threshold, or furthest beyond it. */
export interface Nearest {
  readonly at: Micros;
  readonly score: number;
  readonly cosine: number;
  readonly bestPrompt: string;
  readonly margin: number;
  /** The margin at which an event would have begun; null while too little was known of the background. */
  readonly threshold: number | null;
  /** How far the margin was above the threshold; below 0 it fell short by so much. */
  readonly distance: number | null;
  readonly rival: { readonly of: string; readonly margin: number };
}

/** How one concept fared on one sensor. */
export interface Attempt {
  readonly sensor: string;
  readonly concept: string;
  readonly windows: number;
  /** Events that began. */
  readonly events: number;
  /** Windows that did not begin one, by what held them back. */
  readonly held: Readonly<Record<Held, number>>;
  /** Minutes of its own background that were known at the end, where it has a false-alarm rate. */
  readonly minutes: number | undefined;
  readonly nearest: Nearest | undefined;
}

/** Counts what windows were to concepts: why something fired, why not, and how far from it. */
export class Attempts {
  readonly #found = new Map<string, Attempt>();

  /** A concept that is asked for is reported, even where no window comes. */
  expect(sensor: string, concept: string): void {
    const held = { score: 0, cooldown: 0, minOn: 0 };
    const none = { sensor, concept, windows: 0, events: 0, held, minutes: undefined, nearest: undefined };
    if (!this.#found.has(`${sensor}.${concept}`)) this.#found.set(`${sensor}.${concept}`, none);
  }

  add(sensor: string, at: Micros, looks: readonly Look[]): void {
    for (const look of looks) {
      const { id } = look.score.concept;
      this.expect(sensor, id);
      const key = `${sensor}.${id}`;
      this.#found.set(key, follow(this.#found.get(key)!, at, look));
    }
  }

  /** In the order of sensors, then of concepts. */
  report(): readonly Attempt[] {
    return [...this.#found.values()].sort((a, b) =>
      a.sensor === b.sensor ? compare(a.concept, b.concept) : compare(a.sensor, b.sensor),
    );
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function follow(before: Attempt, at: Micros, look: Look): Attempt {
  const { phase, held } = look.step;
  const { nearest } = before;
  const closer = nearest === undefined || distanceOf(look) > (nearest.distance ?? Number.NEGATIVE_INFINITY);
  // While nothing is allowed to fire, the highest margin is the most telling.
  const higher = nearest?.distance === null && !Number.isFinite(look.needed) && look.score.margin > nearest.margin;
  return {
    ...before,
    windows: before.windows + 1,
    events: before.events + (phase === "begin" ? 1 : 0),
    held: held === undefined ? before.held : { ...before.held, [held]: before.held[held] + 1 },
    minutes: look.minutes,
    nearest: closer || higher ? nearestOf(at, look) : nearest,
  };
}

const distanceOf = ({ score, needed }: Look): number => score.margin - needed;

function nearestOf(at: Micros, look: Look): Nearest {
  const { score, cosine, bestPrompt, margin, rival } = look.score;
  const known = Number.isFinite(look.needed);
  return {
    ...{ at, score, cosine, bestPrompt, margin },
    threshold: known ? look.needed : null,
    distance: known ? distanceOf(look) : null,
    rival: { of: rival.of, margin: rival.excess },
  };
}
