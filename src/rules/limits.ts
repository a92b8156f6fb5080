import { hours, us } from "../core/time.js";

/** Every bound of the rule language; docs/rules.md lists them and a test holds the list. */
export const limits = {
  /** Rules in one file. */
  rules: 10_000,
  /** Characters of one expression. */
  text: 65_536,
  /** Levels of nesting of one expression, parentheses included. */
  depth: 100,
  /** Sub-expressions of one rule. */
  size: 4_096,
  /** Longest window, `for`, `within` and `cooldown`. */
  window: hours(24 * 366),
  /** Shortest window: time is integer µs. */
  tick: us(1),
  /** `count(a, d)` is min(count, this): the newest begins that one `count` remembers. */
  count: 10_000,
  /** Events of one signal that last at the same time; a further begin ends the oldest. */
  open: 256,
  /** Ended events of one signal remembered for `because`; the oldest are forgotten first. */
  history: 256,
  /** Ids in one alert's `because`, the newest. */
  because: 256,
  /** Sensors that can hold the watermark back; further ones do not. */
  sensors: 1_024,
  /** How far a message may be ahead of the host's clock, where the engine is told the clock. */
  ahead: hours(1),
  /** Messages that wait for the watermark; a further one evaluates up to the oldest. */
  pending: 65_536,
} as const;
