import * as z from "zod";
import { DurationText } from "../core/duration.js";
import { draw, marbleLength, marbles } from "../core/marbles.js";
import { Id } from "../core/modality.js";
import { type Duration, micros } from "../core/time.js";
import type { Compiled } from "./program.js";
import { engine } from "./save.js";
import { Rules } from "./schema.js";
import type { Patience } from "./watermark.js";

const diagram = z.string().min(1).max(10_000);

/** One test: the diagrams of signals, and those of the alerts that they must give. */
export const Trial = z.strictObject({
  trace: z.record(z.string(), diagram),
  alerts: z.record(Id, diagram).default({}),
});
export type Trial = Readonly<z.infer<typeof Trial>>;

/** A file of tests for rules, `sensebind rules test`. */
export const TrialFile = z.strictObject({
  rules: z.union([z.string(), Rules]).describe("the rules, or the path of their file from this one"),
  unit: DurationText.prefault("1s").describe("the time that one character stands for"),
  tests: z.record(z.string(), Trial),
});
export type TrialFile = Readonly<z.infer<typeof TrialFile>>;

/** A rule whose alerts were not as expected: both as diagrams. */
export interface Difference {
  readonly rule: string;
  readonly expected: string;
  readonly actual: string;
}

export interface TrialOptions {
  readonly unit: Duration;
  readonly patience?: Partial<Patience> | undefined;
}

/** Runs one test; a rule that it does not name must raise no alert. Throws `BAD_ARGUMENT` for a diagram that is none. */
export function runTrial(compiled: Compiled, { trace, alerts }: Trial, { unit, patience }: TrialOptions): Difference[] {
  const lines = [...Object.values(trace), ...Object.values(alerts)];
  const length = Math.max(1, ...lines.map(marbleLength));
  const running = engine(compiled, { ...patience, node: "test", start: micros(0) });
  const raised = [...marbles(trace, { unit }), { kind: "end" } as const].flatMap((input) => running.push(input));
  const known = compiled.rules.map(({ rule }) => rule.id);
  return [...new Set([...known, ...Object.keys(alerts)])].flatMap((rule) => {
    const expected = (alerts[rule] ?? "").replace(/\s/g, "").padEnd(length, "-");
    const actual = known.includes(rule) ? draw(raised, { rule, unit, length }) : "no such rule";
    return actual === expected ? [] : [{ rule, expected, actual }];
  });
}
