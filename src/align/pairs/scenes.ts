import { cosine, type UnitVector } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";
import type { Match, Pair } from "./pair.js";

export interface SceneOptions {
  /** Frames whose cosine is above this show the same scene; 0.95 unless given. */
  readonly same?: number;
}

/**
 * Numbers what the camera saw: a frame that resembles the first frame of a scene is of that scene, whenever it was first seen
 * (leader clustering, Hartigan 1975); an unbroken stretch of one scene is a visit. Matches must be in order of time.
 */
export function scenesOf(matches: readonly Match[], options: SceneOptions = {}): readonly Pair[] {
  const scenes = new Scenes(options);
  let [scene, visit] = [-1, -1];
  return matches.map((match) => {
    const found = scenes.add(match.anchor);
    if (found !== scene) visit++;
    scene = found;
    return { ...match, scene, visit };
  });
}

/** The scenes that a camera has seen so far, as it goes on looking. */
export class Scenes {
  readonly #same: number;
  readonly #leaders: UnitVector[] = [];
  #current = -1;

  constructor({ same = 0.95 }: SceneOptions = {}) {
    this.#same = same;
  }

  get count(): number {
    return this.#leaders.length;
  }

  /** The number of the scene in view while it still fits, else of the most alike one, else of a new one. */
  add(anchor: UnitVector): number {
    const now = this.#leaders[this.#current];
    if (now && cosine(now, anchor) > this.#same) return this.#current;
    let [best, highest] = [-1, this.#same];
    for (const [i, leader] of this.#leaders.entries()) {
      const likeness = cosine(leader, anchor);
      if (likeness > highest) [best, highest] = [i, likeness];
    }
    this.#current = best >= 0 ? best : this.#leaders.push(anchor) - 1;
    return this.#current;
  }
}

/** At most so many pairs of one visit, spread evenly over it: an hour before a still picture teaches no more than a minute. */
export function thinned(pairs: readonly Pair[], mostPerVisit: number): readonly Pair[] {
  const visits = new Map<number, Pair[]>();
  for (const pair of pairs) {
    const of = visits.get(pair.visit);
    if (of) of.push(pair);
    else visits.set(pair.visit, [pair]);
  }
  return [...visits.values()].flatMap((of) => {
    if (of.length <= mostPerVisit) return of;
    const step = of.length / mostPerVisit;
    return Array.from({ length: mostPerVisit }, (_, i) => of[Math.floor((i + 0.5) * step)]!);
  });
}

/** Throws `TOO_LITTLE_VARIETY` where the camera saw fewer scenes than a useful head needs. */
export function checkVariety(pairs: readonly Pair[], needed: number): void {
  const found = new Set(pairs.map(({ scene }) => scene)).size;
  if (found >= needed) return;
  throw new SenseError("TOO_LITTLE_VARIETY", `not enough variety yet: ${found} of about ${needed} distinct scenes`, {
    hint: "Let it run longer, move the camera and the sensor together, or let more happen before them.",
  });
}
