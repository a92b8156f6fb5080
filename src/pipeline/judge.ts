import { isDeepStrictEqual } from "node:util";
import type { Alert } from "../core/alert.js";
import { cosine, type Embedding } from "../core/embedding.js";
import type { Event } from "../core/event.js";
import type { Clock, Micros } from "../core/time.js";
import type { WindowQuality } from "../core/window.js";
import type { Input, SensorState } from "../rules/input.js";
import type { LiveRules } from "../rules/live.js";
import type { Rules } from "../rules/schema.js";
import type { World } from "../rules/world.js";
import type { Backgrounds, Origins } from "../space/background/file.js";
import type { Concept } from "../space/concept.js";
import { Fusion, type FusionPlan, type Moment } from "../space/fuse.js";
import { scaleOf } from "../space/fused-concepts.js";
import { type Known, knownOf } from "../space/known.js";
import {
  blank,
  type Ending,
  endAll,
  type Look,
  type Recognised,
  type Recognition,
  recognise,
  type SensorConcepts,
  type SensorMemory,
} from "../space/recognise.js";
import type { Scale } from "../space/score.js";
import type { FusedFlow } from "./fusions.js";

/** What the space and the rules have to say. */
export type Said =
  | { readonly kind: "event"; readonly event: Event }
  | { readonly kind: "alert"; readonly alert: Alert }
  /** Several sensors at one moment, as one. */
  | { readonly kind: "embedding"; readonly at: Micros; readonly embedding: Embedding };

export interface JudgeOptions {
  readonly node: string;
  readonly concepts: ReadonlyMap<string, SensorConcepts>;
  /** Sensors that are made of others. */
  readonly fusions?: readonly FusedFlow[];
  readonly rules: LiveRules;
  /** What the rules may name; it changes with the concepts. */
  readonly names: { world: World };
  /** Ends of what the last run left open. */
  readonly left: { readonly events: readonly Recognised[]; readonly alerts: readonly Alert[] };
  /** What was learned of each sensor's background before. */
  readonly backgrounds: Backgrounds;
  /** What the scores of concepts come from, so that a background is kept for the same scores only. */
  readonly originsOf?: (concepts: ReadonlyMap<string, SensorConcepts>) => Origins;
  /** Told what each window was to each concept, fired or not. */
  readonly onLooks?: ((embedding: Embedding, looks: readonly Look[]) => void) | undefined;
  /** The number of the first message. */
  readonly firstSeq: number;
  /** Absent on a replay: latencies are then 0, so that the same recording gives the same bytes. */
  readonly clock: Clock | undefined;
}

/** What goes with other concepts. */
export interface Changes {
  /** What the rules may name. */
  readonly world: World;
  readonly rules: Rules;
}

/** A concept whose settings are the same may still have changed, with the file or the concept that it is made of. */
const sameMeaning = (before: Concept, now: Concept | undefined): boolean =>
  now !== undefined && isDeepStrictEqual(now.settings, before.settings) && cosine(now.vector, before.vector) > 0.9999;

/** Embeddings become events, events become alerts; both are numbered in the order in which they are said. */
export class Judge {
  readonly #options: JudgeOptions;
  readonly #memory = new Map<string, SensorMemory>();
  readonly #fusions: readonly (FusedFlow & { readonly fusion: Fusion })[];
  readonly #lost = new Set<string>();
  #concepts: ReadonlyMap<string, SensorConcepts>;
  #origins: Origins;
  #seq: number;
  #newest = 0 as Micros;

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#seq = options.firstSeq;
    this.#concepts = options.concepts;
    this.#origins = options.originsOf?.(options.concepts) ?? new Map();
    this.#fusions = (options.fusions ?? []).map((flow) => ({ ...flow, fusion: new Fusion(flow.plan) }));
    for (const [sensor, learned] of options.backgrounds) this.#memory.set(sensor, { ...blank, learned });
  }

  /** What is known of each sensor's background by now. */
  get backgrounds(): Backgrounds {
    return new Map([...this.#memory].map(([sensor, { learned }]) => [sensor, learned]));
  }

  /** How much is known of a sensor's background, by concept. */
  known(sensor: string): Readonly<Record<string, Known>> {
    const asked = this.#concepts.get(sensor);
    return asked ? knownOf(asked, this.#memory.get(sensor) ?? blank) : {};
  }

  /** What the scores behind those backgrounds come from. */
  get origins(): Origins {
    return this.#origins;
  }

  /** What the last run left open is ended before anything else is said. */
  *begin(): Generator<Said> {
    const { events, alerts } = this.#options.left;
    yield* this.#events(events);
    yield* this.#number(alerts);
  }

  *embedding(embedding: Embedding, quality: WindowQuality = { coverage: 1 }): Generator<Said> {
    yield* this.#recognise(embedding);
    for (const flow of this.#fusions) {
      for (const moment of flow.fusion.add(embedding, quality)) yield* this.#moment(moment, flow);
    }
  }

  *#moment(moment: Moment, { scales, plan }: FusedFlow): Generator<Said> {
    const { embedding, contributions } = moment;
    yield { kind: "embedding", at: embedding.to, embedding };
    yield* this.#recognise(embedding, { scale: scaleOf(moment, scales(), plan), contributions });
  }

  *#recognise(
    embedding: Embedding,
    fused?: Pick<Recognition, "contributions"> & { readonly scale: Scale },
  ): Generator<Said> {
    const { node } = this.#options;
    this.#newest = Math.max(this.#newest, embedding.to) as Micros;
    const known = this.#concepts.get(embedding.sensor);
    if (known) {
      const asked = fused ? { ...known, scale: fused.scale } : known;
      const before = this.#memory.get(embedding.sensor) ?? blank;
      const { memory, events, looks } = recognise(asked, before, {
        ...{ node, embedding },
        contributions: fused?.contributions,
      });
      this.#memory.set(embedding.sensor, memory);
      this.#options.onLooks?.(embedding, looks);
      yield* this.#events(events);
    }
    // Nothing recognised is news too: the sensor was watched up to here.
    yield* this.#rules({ kind: "time", sensor: embedding.sensor, at: embedding.to });
  }

  /** A sensor's state changed: one that went away ends its events. */
  *status(sensor: string, state: SensorState, at: Micros): Generator<Said> {
    this.#newest = Math.max(this.#newest, at) as Micros;
    if (state === "ok") this.#lost.delete(sensor);
    else {
      this.#lost.add(sensor);
      yield* this.#close(sensor, at, "sensor-lost");
      // A fused sensor goes on without a member, but not without all of them.
      const gone = ({ members }: FusionPlan) => Object.keys(members).every((member) => this.#lost.has(member));
      for (const { plan } of this.#fusions) if (gone(plan)) yield* this.#close(plan.sensor, at, "sensor-lost");
    }
    yield* this.#rules({ kind: "status", sensor, state, at });
  }

  /** The host's clock has come this far: deadlines of silent sensors fall due. */
  tick(at: Micros): Generator<Said> {
    return this.#rules({ kind: "time", at });
  }

  /** Other concepts from now on: what is open of those that are gone or read differently ends. */
  *useConcepts(concepts: ReadonlyMap<string, SensorConcepts>, { world, rules }: Changes): Generator<Said> {
    for (const [sensor, before] of this.#concepts) {
      const coming = new Map(concepts.get(sensor)?.concepts.map((concept) => [concept.id, concept]));
      const gone = before.concepts.filter((old) => !sameMeaning(old, coming.get(old.id)));
      const only = gone.map(({ id }) => id);
      yield* this.#end(before, { at: this.#newest, reason: "concept-removed", only });
    }
    this.#concepts = concepts;
    this.#forget(concepts);
    this.#options.names.world = world;
    yield* this.useRules(rules);
  }

  /** What was learned of a background is given up where other words or another encoder make the scores from now on. */
  #forget(concepts: ReadonlyMap<string, SensorConcepts>): void {
    const [before, now] = [this.#origins, this.#options.originsOf?.(concepts) ?? new Map()];
    this.#origins = now;
    for (const [sensor, memory] of this.#memory) {
      const isSame = ([id]: readonly [string, unknown]) => before.get(sensor)?.[id] === now.get(sensor)?.[id];
      const learned = Object.fromEntries(Object.entries(memory.learned).filter(isSame));
      this.#memory.set(sensor, { ...memory, learned });
    }
  }

  /** Other rules from now on: unchanged ones keep what they remember, alerts of others end. */
  *useRules(rules: Rules): Generator<Said> {
    yield* this.#number(this.#options.rules.replace(rules));
  }

  /** Ends everything: of a live node that stops, or of a recording whose last reading was read. */
  *end(at?: Micros): Generator<Said> {
    for (const flow of this.#fusions) for (const moment of flow.fusion.end()) yield* this.#moment(moment, flow);
    const time = at ?? this.#newest;
    for (const sensor of this.#memory.keys()) yield* this.#close(sensor, time, "shutdown");
    if (at === undefined) yield* this.#rules({ kind: "end" });
    yield* this.#rules({ kind: "stop", at: time });
  }

  *#events(events: readonly Recognised[]): Generator<Said> {
    for (const recognised of events) {
      const now = this.#options.clock?.now() ?? recognised.to;
      const event: Event = { ...recognised, seq: this.#seq++, latencyUs: Math.max(0, Math.round(now - recognised.to)) };
      yield { kind: "event", event };
      yield* this.#rules({ kind: "event", event });
    }
  }

  *#close(sensor: string, at: Micros, reason: "sensor-lost" | "shutdown"): Generator<Said> {
    const asked = this.#concepts.get(sensor);
    if (asked) yield* this.#end(asked, { at, reason });
  }

  *#end(asked: SensorConcepts, ending: Omit<Ending, "node">): Generator<Said> {
    const memory = this.#memory.get(asked.sensor) ?? blank;
    const ended = endAll(asked, memory, { node: this.#options.node, ...ending });
    this.#memory.set(asked.sensor, ended.memory);
    yield* this.#events(ended.events);
  }

  #rules(input: Input): Generator<Said> {
    return this.#number(this.#options.rules.push(input));
  }

  *#number(alerts: readonly Alert[]): Generator<Said> {
    for (const alert of alerts) yield { kind: "alert", alert: { ...alert, seq: this.#seq++ } };
  }
}
