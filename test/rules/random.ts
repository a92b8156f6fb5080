import * as fc from "fast-check";
import type { Event } from "../../src/core/event.js";
import { type Duration, micros, us } from "../../src/core/time.js";
import type { Input } from "../../src/rules/input.js";
import type { Rule } from "../../src/rules/rule.js";
import { type Quantity, type Signal, signs, type Truth } from "../../src/rules/tree.js";
import type { Patience } from "../../src/rules/watermark.js";

const signal: fc.Arbitrary<Signal> = fc.constantFrom(
  ...(
    [
      ["a", "x"],
      ["a", "y"],
      ["b", "x"],
      ["any", "x"],
      ["a", "lost"],
      ["any", "lost"],
    ] as const
  ).map(([sensor, concept]): Signal => ({ op: "signal", sensor, concept })),
);
const scored = signal.filter(({ concept }) => concept !== "lost");
const window: fc.Arbitrary<Duration> = fc.integer({ min: 0, max: 8 }).map(us);
const positive: fc.Arbitrary<Duration> = fc.integer({ min: 1, max: 8 }).map(us);
const sign = fc.constantFrom(...signs);

/** Any well-typed expression over sensors a and b, concepts x and y, with windows of 0 to 8 µs. */
export const { truth } = fc.letrec<{ truth: Truth; quantity: Quantity; compare: Truth }>((tie) => ({
  truth: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { arbitrary: signal, weight: 3 },
    fc.record({ op: fc.constant("not" as const), of: tie("truth") }),
    fc.record({
      op: fc.constantFrom("and" as const, "or" as const),
      of: fc.array(tie("truth"), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ op: fc.constant("since" as const), hold: tie("truth"), from: tie("truth") }),
    fc.record({ op: fc.constantFrom("once" as const, "always" as const), of: tie("truth"), within: window }),
    fc.record({ op: fc.constantFrom("begin" as const, "end" as const), of: tie("truth") }),
    fc.record({ op: fc.constant("then" as const), first: tie("truth"), next: tie("truth"), within: positive }),
    tie("compare"),
  ),
  quantity: fc.oneof(
    fc.record({ op: fc.constant("score" as const), of: scored }),
    fc.record({ op: fc.constant("count" as const), of: tie("truth"), within: positive }),
    fc.record({ op: fc.constant("number" as const), value: fc.constantFrom(0, 1, 2, 3, 0.25, 0.5) }),
  ),
  compare: fc.record({ op: fc.constant("compare" as const), left: tie("quantity"), sign, right: tie("quantity") }),
}));

export const rules: fc.Arbitrary<Rule[]> = fc
  .array(
    fc.record({ when: truth, unless: fc.option(truth, { freq: 3 }), cooldown: fc.constantFrom(0, 0, 3, 12).map(us) }),
    {
      minLength: 1,
      maxLength: 2,
    },
  )
  .map((list) =>
    list.map(
      ({ when, unless, cooldown }, i): Rule => ({
        id: `r${i}`,
        when,
        ...(unless && { unless }),
        cooldown,
        actions: [],
      }),
    ),
  );

export const patience: fc.Arbitrary<Patience> = fc.record({
  lateness: fc.integer({ min: 0, max: 6 }).map(us),
  idle: fc.integer({ min: 1, max: 10 }).map(us),
});

interface Arriving {
  readonly input: Input;
  /** Place in the order of coming. */
  readonly order: number;
}

const delay = fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, fc.integer({ min: 0, max: 9 }));

/** One event, whose messages may be late, repeated or missing. */
const episode = fc.record({
  sensor: fc.constantFrom("a", "b"),
  concept: fc.constantFrom("x", "y"),
  from: fc.integer({ min: 0, max: 30 }),
  length: fc.oneof({ arbitrary: fc.integer({ min: 0, max: 12 }), weight: 5 }, fc.constant(undefined)),
  update: fc.option(fc.record({ after: fc.integer({ min: 0, max: 12 }), delay })),
  scores: fc.tuple(score(), score()),
  delays: fc.tuple(delay, delay),
  twice: fc.option(delay, { freq: 4 }),
});

function score() {
  return fc.constantFrom(0, 0.25, 0.5, 0.75, 1);
}

const status = fc.record({
  sensor: fc.constantFrom("a", "b"),
  state: fc.constantFrom("ok" as const, "stalled" as const, "absent" as const),
  at: fc.integer({ min: 0, max: 30 }),
  delay,
});

const tick = fc.record({ sensor: fc.constantFrom("a", "b", undefined), at: fc.integer({ min: 0, max: 36 }) });

/** Late, repeated, simultaneous and unfinished events, losses of sensors and a clock, in the order of coming. */
export const trace: fc.Arbitrary<Input[]> = fc
  .record({
    episodes: fc.array(episode, { maxLength: 7 }),
    statuses: fc.array(status, { maxLength: 2 }),
    ticks: fc.array(tick, { maxLength: 2 }),
  })
  .map(({ episodes, statuses, ticks }) => {
    let seq = 0;
    const arriving: Arriving[] = episodes.flatMap(
      ({ sensor, concept, from, length, update, scores, delays, twice }, i) => {
        const message = (phase: Event["phase"], at: number, value: number): Input => ({
          kind: "event",
          event: eventAt({ id: `e${i}`, seq: seq++, sensor, concept, phase, score: value, at }),
        });
        const begin = message("begin", from, scores[0]);
        const all = [{ input: begin, order: from + delays[0] }];
        if (twice !== null) all.push({ input: begin, order: from + delays[0] + twice });
        if (update && (length === undefined || update.after <= length)) {
          const at = from + update.after;
          all.push({ input: message("update", at, scores[1]), order: at + update.delay });
        }
        if (length !== undefined)
          all.push({ input: message("end", from + length, 0), order: from + length + delays[1] });
        return all;
      },
    );
    for (const { sensor, state, at, delay: late } of statuses) {
      arriving.push({ input: { kind: "status", sensor, state, at: micros(at) }, order: at + late });
    }
    for (const { sensor, at } of ticks) {
      arriving.push({ input: { kind: "time", ...(sensor && { sensor }), at: micros(at) }, order: at });
    }
    arriving.sort((a, b) => a.order - b.order);
    return arriving.map(({ input }) => input);
  });

export const eventAt = (told: Pick<Event, "id" | "seq" | "sensor" | "concept" | "phase" | "score" | "at">): Event => ({
  v: 1,
  node: "n",
  modality: "other",
  from: told.at,
  to: told.at,
  space: "s",
  latencyUs: 0,
  ...told,
});
