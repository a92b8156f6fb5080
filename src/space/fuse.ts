import { combine, cosine, type Embedding, type UnitVector } from "../core/embedding.js";
import type { Duration, Micros } from "../core/time.js";
import type { WindowQuality } from "../core/window.js";

/** How one sensor takes part in a fused one. */
export interface Member {
  /** How much its evidence counts: the modality's logit scale times the configured weight. */
  readonly reliability: number;
  /** A window that ended longer ago than this says nothing of the moment. */
  readonly hold: Duration;
}

export interface FusionPlan {
  readonly sensor: string;
  readonly modality: Embedding["modality"];
  readonly members: Readonly<Record<string, Member>>;
  /** From one moment to the next. */
  readonly every: Duration;
  /** How far a member may be behind the others, in event time, before they go on without it. */
  readonly patience: Duration;
}

/** What one member was to a moment. */
export interface Contribution {
  readonly sensor: string;
  /** Share of the sum, 0..1; 0 for one that was left out. */
  readonly weight: number;
  readonly vector?: UnitVector;
  /** Why it was left out. */
  readonly left?: string;
}

/** Several sensors at one moment, as one vector, and who is in it. */
export interface Moment {
  readonly embedding: Embedding;
  readonly contributions: readonly Contribution[];
  /** Length of the weighted mean of the members' unit vectors: 1 where they agree. */
  readonly length: number;
}

interface Held {
  readonly embedding: Embedding;
  readonly quality: WindowQuality;
}

/** A step back in event time of more than this is another recording, or a clock that was set: everything starts anew. */
const restart = 10e6;

/**
 * Puts windows of several sensors together, moment by moment on a grid of event time: of each the newest that ended by then.
 * A moment waits until all members have come so far or one is too late, so that the order of arrival changes nothing.
 */
export class Fusion {
  readonly plan: FusionPlan;
  readonly #held = new Map<string, Held[]>();
  readonly #newest = new Map<string, Micros>();
  #next: number | undefined;
  #seq = 0;

  constructor(plan: FusionPlan) {
    this.plan = plan;
  }

  /** Takes a window of a member and gives the moments that it completes. */
  *add(embedding: Embedding, quality: WindowQuality): Generator<Moment> {
    const { sensor, to } = embedding;
    if (!Object.hasOwn(this.plan.members, sensor)) return;
    const newest = this.#newest.get(sensor);
    if (newest !== undefined && to < newest - restart) this.#startAnew();
    this.#newest.set(sensor, to);
    this.#held.set(sensor, [...(this.#held.get(sensor) ?? []), { embedding, quality }]);
    this.#next ??= this.#gridFrom(to);
    yield* this.#complete((moment) => this.#ready(moment));
  }

  /** The moments that were still waiting for somebody. */
  *end(): Generator<Moment> {
    const last = Math.max(...this.#newest.values());
    yield* this.#complete((moment) => moment <= last);
  }

  #startAnew(): void {
    this.#held.clear();
    this.#newest.clear();
    this.#next = undefined;
  }

  #gridFrom(instant: number): number {
    return Math.ceil(instant / this.plan.every) * this.plan.every;
  }

  #ready(moment: number): boolean {
    const ahead = Math.max(...this.#newest.values());
    return Object.keys(this.plan.members).every((member) => {
      const newest = this.#newest.get(member);
      return (newest !== undefined && newest >= moment) || moment <= ahead - this.plan.patience;
    });
  }

  *#complete(ready: (moment: number) => boolean): Generator<Moment> {
    while (this.#next !== undefined && ready(this.#next)) {
      const at = this.#next;
      const moment = this.#at(at as Micros);
      if (moment) yield moment;
      this.#next = at + this.plan.every;
      if (!moment) this.#skip(at);
    }
  }

  /** After a moment with nobody in it, goes on where somebody is: a gap of a night costs nothing. */
  #skip(at: number): void {
    const coming = [...this.#held.values()].flat().filter(({ embedding }) => embedding.to > at);
    const first = Math.min(...coming.map(({ embedding }) => embedding.to));
    this.#next = Number.isFinite(first) ? Math.max(this.#next!, this.#gridFrom(first)) : undefined;
  }

  #at(moment: Micros): Moment | undefined {
    const found = Object.entries(this.plan.members).map(([sensor, member]) =>
      this.#contribution(sensor, member, moment),
    );
    const sum = found.reduce((total, { weight }) => total + weight, 0);
    if (sum === 0) return undefined;
    const contributions = found.map(({ held, ...rest }) => ({ ...rest, weight: rest.weight / sum }));
    const terms = contributions.flatMap(({ vector, weight }) => (vector ? [{ vector, weight }] : []));
    const vector = combine(terms);
    const length = terms.reduce((total, term) => total + term.weight * cosine(term.vector, vector), 0);
    const from = Math.min(...found.flatMap(({ held }) => (held ? [held.embedding.from] : []))) as Micros;
    const { space } = found.find(({ held }) => held)!.held!.embedding;
    const { sensor, modality } = this.plan;
    const embedding = { sensor, modality, seq: this.#seq++, from, to: moment, space, vector };
    return { embedding, contributions, length };
  }

  #contribution(
    sensor: string,
    { reliability, hold }: Member,
    moment: Micros,
  ): Contribution & { readonly held?: Held } {
    const all = this.#held.get(sensor) ?? [];
    const current = all.findLastIndex(({ embedding }) => embedding.to <= moment);
    // Later moments need nothing older than the window that is current now.
    if (current > 0) this.#held.set(sensor, all.slice(current));
    const held = all[current];
    if (!held) return { sensor, weight: 0, left: "absent" };
    const { embedding, quality } = held;
    if (moment - embedding.to >= hold) return { sensor, weight: 0, left: "stale" };
    const [fault] = quality.faults ?? [];
    if (fault !== undefined) return { sensor, weight: 0, left: fault };
    return { sensor, weight: reliability * quality.coverage, vector: embedding.vector, held };
  }
}
