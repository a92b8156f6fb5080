import { type Document, isScalar, LineCounter, parseDocument, type Scalar } from "yaml";
import * as z from "zod";
import { DurationText } from "../core/duration.js";
import { SenseError } from "../core/errors.js";
import { Id } from "../core/modality.js";
import { nearest } from "../core/suggest.js";
import type { PlacedProblem } from "./problem.js";
import { type Read, readRules } from "./rule.js";
import { Rules, RuleText } from "./schema.js";
import type { Patience } from "./watermark.js";
import type { World } from "./world.js";

/** A file of rules for `sensebind rules`; a whole sensebind.yaml is one too, its other sections are not looked at. */
export const RulesFile = z.looseObject({
  rules: Rules,
  /** How late events may come, and how long a silent sensor holds evaluation back. */
  lateness: DurationText.optional(),
  idle: DurationText.optional(),
});

export interface RulesSource extends Read {
  readonly patience: Partial<Patience>;
}

export interface SourceOptions {
  /** Named in errors. */
  readonly source: string;
  readonly world?: World | undefined;
}

/** Reads a file of rules; every problem has its line and column. Throws `BAD_CONFIG` where the YAML itself is broken. */
export function readSource(text: string, { source, world }: SourceOptions): RulesSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw new SenseError("BAD_CONFIG", `${source}:${line}:${col}: ${broken.message.split("\n")[0]}`, {
      hint: "The file is not valid YAML at that place.",
      cause: broken,
    });
  }
  const file = { text, document, lines };
  const parsed = RulesFile.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {});
  if (!parsed.success) {
    return { rules: [], patience: {}, problems: parsed.error.issues.map((issue) => shapeProblem(file, issue)) };
  }
  const { rules, lateness, idle } = parsed.data;
  const locate = (rule: string, part: string, offset: number) => expressionPlace(file, ["rules", rule, part], offset);
  const patience = { ...(lateness !== undefined && { lateness }), ...(idle !== undefined && { idle }) };
  return { ...readRules(rules, { world, locate }), patience };
}

interface SourceFile {
  readonly text: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

/** A problem of the YAML's form, at the key it is about or at its nearest parent that exists. */
function shapeProblem({ document, lines }: SourceFile, issue: z.core.$ZodIssue): PlacedProblem {
  const [section, rule] = issue.path;
  const named = section === "rules" && typeof rule === "string" ? { rule } : {};
  let place = { line: 1, column: 1 };
  for (let depth = issue.path.length; depth > 0; depth--) {
    const start = rangeStart(document.getIn(issue.path.slice(0, depth), true));
    if (start === undefined) continue;
    const { line, col } = lines.linePos(start);
    place = { line, column: col };
    break;
  }
  return { ...named, ...sentence(issue, !document.hasIn(issue.path)), from: 0, to: 0, ...place };
}

function rangeStart(node: unknown): number | undefined {
  const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
  return Array.isArray(range) ? (range[0] as number) : undefined;
}

function sentence(issue: z.core.$ZodIssue, missing: boolean): { message: string; hint?: string } {
  const at = issue.path.slice(2).join(".") || "the rule";
  if (issue.code === "invalid_type" && issue.path.at(-1) === "when" && missing) {
    return { message: "the rule has no `when`", hint: "Write when: and an expression such as mic.glass_breaking." };
  }
  if (issue.path.length === 1 && issue.path[0] === "rules") {
    return {
      message: "the file has no `rules:` section of rule ids",
      hint: "See docs/rules.md for the form of the file.",
    };
  }
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0]!;
    const near = nearest(key, Object.keys(RuleText.shape));
    const hint = near
      ? `Did you mean "${near}"?`
      : "A comma inside { } ends the value: put quotes around the expression.";
    return { message: `${at} has no setting "${key}"`, hint };
  }
  if (issue.code === "invalid_key") {
    return { message: `"${String(issue.path.at(-1))}" is no rule id: ${Id.safeParse("").error?.issues[0]?.message}` };
  }
  return { message: `${at}: ${issue.message}` };
}

/** Line and column of a character of an expression, however its YAML scalar is written. */
function expressionPlace({ text, document, lines }: SourceFile, path: string[], offset: number) {
  const node = document.getIn(path, true);
  const start = isScalar(node) ? sourceOffset(text, node, offset) : 0;
  const { line, col } = lines.linePos(start);
  return { line, column: col };
}

/** Walks value and source side by side: a folded or quoted scalar differs from its value in white space and quotes only. */
function sourceOffset(text: string, { value, range }: Scalar, offset: number): number {
  const whole = String(value);
  let at = range?.[0] ?? 0;
  const end = range?.[1] ?? at;
  for (let i = 0; i <= offset && i < whole.length; i++) {
    const wanted = whole[i]!;
    if (/\s/.test(wanted)) continue;
    while (at < end && text[at] !== wanted) at++;
    if (i < offset) at++;
  }
  return at;
}
