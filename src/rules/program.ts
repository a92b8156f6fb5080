import type { Rule } from "./rule.js";
import type { Expression, Sign, Truth } from "./tree.js";

/** What a node does with its operands; src/rules/evaluate.ts gives each its meaning. */
export const code = {
  signal: 0,
  score: 1,
  number: 2,
  not: 3,
  and: 4,
  or: 5,
  since: 6,
  once: 7,
  always: 8,
  begin: 9,
  end: 10,
  // biome-ignore lint/suspicious/noThenProperty: a number, so no promise takes it for a thenable
  then: 11,
  count: 12,
  ">": 13,
  ">=": 14,
  "<": 15,
  "<=": 16,
  "==": 17,
  "!=": 18,
} as const satisfies Record<Exclude<Expression["op"], "compare"> | Sign, number>;

/** Numbers a node has in `Compiled.nodes`: operation, left operand, right operand. */
export const stride = 3;

/** A signal that a rule names, with how far back its events count among the alert's causes. */
export interface Named {
  readonly slot: number;
  /** False for a sensor's status, which is no event. */
  readonly evidence: boolean;
  /** Sum of the windows around the signal, µs: its event counts if it became true within it. */
  readonly reach: number;
  /** The same sum around it where it is below an `end`: its event counts if it became false within it; -1 if it is not. */
  readonly endReach: number;
}

/** One rule in the flat program. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly tree: Truth;
  /** Printed condition and cooldown: rules of equal text have equal state, which is what a reload keeps. */
  readonly text: string;
  /** Its nodes are first..last, operands before their operation; the last one is the condition. */
  readonly first: number;
  readonly last: number;
  readonly names: readonly Named[];
  /** Scores and counts that it compares: printed text and node. */
  readonly values: readonly (readonly [string, number])[];
  /** The rings of times of its `count` nodes. */
  readonly counts: readonly number[];
}

/** A signal that is followed. */
export interface Slot {
  readonly sensor: string;
  readonly concept: string;
  /** How long its ended events are remembered for `because`, µs. */
  readonly reach: number;
  readonly endReach: number;
  /** Rules to evaluate when its truth changes, and when its score does. */
  readonly onTruth: readonly number[];
  readonly onScore: readonly number[];
}

/** All rules as one flat program: immutable, shared by every state. */
export interface Compiled {
  readonly rules: readonly CompiledRule[];
  readonly slots: readonly Slot[];
  /** `stride` a node; the operand of a signal or score is a slot, the right operand of `count` its ring. */
  readonly nodes: Int32Array;
  /** One a node: its window in µs, or its number. */
  readonly args: Float64Array;
  /** One a node: the sub-expression whose value it has; null for a step on the way to one. */
  readonly origins: readonly (Expression | null)[];
  readonly rings: number;
}
