import { SenseError } from "../core/errors.js";

/** Something wrong in an expression: where, what, and what to do about it. */
export interface Problem {
  readonly message: string;
  readonly hint?: string;
  /** Offsets into the expression's text, in UTF-16 units; `to` is exclusive. */
  readonly from: number;
  readonly to: number;
}

/** The settings of a rule that can be wrong in themselves. */
export type RulePart = "when" | "unless" | "cooldown";

/** A problem with its place in a file of rules; line and column count from 1. */
export interface PlacedProblem extends Problem {
  readonly rule?: string;
  readonly part?: RulePart;
  readonly line: number;
  readonly column: number;
}

/** Line and column, from 1, of an offset into a text. */
export function place(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

/** One line for a person, `rule break-in, when: …`, with its place before it: `rules.yaml:3:11: rule break-in, when: …`. */
export function describe({ rule, part, line, column, message }: PlacedProblem, source?: string): string {
  const where = source === undefined ? `line ${line}, column ${column}: ` : `${source}:${line}:${column}: `;
  const names = [...(rule === undefined ? [] : [`rule ${rule}`]), ...(part === undefined ? [] : [part])];
  return `${where}${names.length === 0 ? "" : `${names.join(", ")}: `}${message}`;
}

/** The error that stands for all problems of a file: the first one in full, the number of the others. */
export function invalid(problems: readonly PlacedProblem[]): SenseError {
  const [first] = problems;
  if (!first) throw new RangeError("no problem to report");
  const others = problems.length - 1;
  const more = others === 0 ? "" : ` (and ${others} more; \`sensebind rules check\` lists them)`;
  return new SenseError("RULE_INVALID", describe(first) + more, first.hint === undefined ? {} : { hint: first.hint });
}
