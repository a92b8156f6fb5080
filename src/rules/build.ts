import { type Duration, us } from "../core/time.js";
import type { Rule } from "./rule.js";
import type { Action } from "./schema.js";
import type { Quantity, Sign, Signal, Truth } from "./tree.js";
import { anySensor, lostConcept } from "./world.js";

/** `sensor.concept`: true while the sensor recognises the concept. */
export const on = (sensor: string, concept: string): Signal => ({ op: "signal", sensor, concept });
/** `any.concept`: true while any sensor recognises it. */
export const onAny = (concept: string): Signal => on(anySensor, concept);
/** `sensor.lost`: true while the sensor's status is not ok. */
export const lost = (sensor: string): Signal => on(sensor, lostConcept);

export const not = (of: Truth): Truth => ({ op: "not", of });
export const and = (...of: readonly Truth[]): Truth => joined("and", of);
export const or = (...of: readonly Truth[]): Truth => joined("or", of);
/** `hold since from`: `from` was true at some time, and `hold` at all times after it. */
export const since = (hold: Truth, from: Truth): Truth => ({ op: "since", hold, from });
/** `once(of, d)`: true at some time of the last `d`. */
export const once = (of: Truth, within: Duration): Truth => ({ op: "once", of, within });
/** `of for d`: true at every time of the last `d`. */
export const always = (of: Truth, within: Duration): Truth => ({ op: "always", of, within });
/** The instant at which `of` becomes true. */
export const begin = (of: Truth): Truth => ({ op: "begin", of });
/** The instant at which `of` becomes false. */
export const end = (of: Truth): Truth => ({ op: "end", of });
/** `first then next within d`: the instant at which `next` becomes true, where `first` became true at most d before it. */
export const sequence = (first: Truth, next: Truth, { within }: { readonly within: Duration }): Truth => ({
  op: "then",
  first,
  next,
  within,
});

/** A number to compare: a score, a count or a constant. */
export interface Comparable {
  readonly quantity: Quantity;
  above(bound: number | Comparable): Truth;
  atLeast(bound: number | Comparable): Truth;
  below(bound: number | Comparable): Truth;
  atMost(bound: number | Comparable): Truth;
  equals(bound: number | Comparable): Truth;
  differs(bound: number | Comparable): Truth;
}

/** `score(sensor.concept)`: the newest score while the event lasts, else 0. */
export const score = (of: Signal): Comparable => comparable({ op: "score", of });
/** `count(of, d)`: how often `of` became true in the last `d`. */
export const count = (of: Truth, within: Duration): Comparable => comparable({ op: "count", of, within });

/** A rule and the ways to say more about it; each gives a new one. */
export class RuleBuilder {
  constructor(readonly rule: Rule) {}

  /** The alert needs this to be false. */
  unless(unless: Truth): RuleBuilder {
    return new RuleBuilder({ ...this.rule, unless });
  }

  /** After a begin, further begins within this time are suppressed. */
  cooldown(cooldown: Duration): RuleBuilder {
    return new RuleBuilder({ ...this.rule, cooldown });
  }

  /** What happens besides the alert. */
  act(...actions: readonly Action[]): RuleBuilder {
    return new RuleBuilder({ ...this.rule, actions: [...this.rule.actions, ...actions] });
  }
}

/** Begins a rule: `rule("fall").when(on("imu", "fall")).cooldown(s(30))`. */
export const rule = (id: string) => ({
  when: (when: Truth): RuleBuilder => new RuleBuilder({ id, when, cooldown: us(0), actions: [] }),
});

function joined(op: "and" | "or", of: readonly Truth[]): Truth {
  const [first, ...others] = of;
  return first !== undefined && others.length === 0 ? first : { op, of };
}

function comparable(quantity: Quantity): Comparable {
  const compare =
    (sign: Sign) =>
    (bound: number | Comparable): Truth => ({
      op: "compare",
      left: quantity,
      sign,
      right: typeof bound === "number" ? { op: "number", value: bound } : bound.quantity,
    });
  return {
    quantity,
    above: compare(">"),
    atLeast: compare(">="),
    below: compare("<"),
    atMost: compare("<="),
    equals: compare("=="),
    differs: compare("!="),
  };
}

/**
 * The builders by the language's own words: `const { on, rule, then } = language`. They are properties because a module
 * that exported `then` would be taken for a promise by `await import()`.
 */
export const language = {
  rule,
  on,
  onAny,
  lost,
  not,
  and,
  or,
  since,
  once,
  always,
  begin,
  end,
  // biome-ignore lint/suspicious/noThenProperty: the word of the language; nobody awaits the language itself
  then: sequence,
  score,
  count,
} as const;
