import { type Duration, us } from "../core/time.js";
import { check } from "./check.js";
import { limits } from "./limits.js";
import { parse } from "./parse.js";
import type { Span } from "./parser.js";
import { invalid, type PlacedProblem, type Problem, place } from "./problem.js";
import type { Action, Rules, RuleText } from "./schema.js";
import type { Expression, Truth } from "./tree.js";
import type { World } from "./world.js";

/** A rule whose expressions are trees: what YAML and the builders both become. */
export interface Rule {
  readonly id: string;
  readonly when: Truth;
  readonly unless?: Truth;
  readonly cooldown: Duration;
  readonly actions: readonly Action[];
}

/** What makes the alert: `when and not unless`. */
export const condition = ({ when, unless }: Pick<Rule, "when" | "unless">): Truth =>
  unless === undefined ? when : { op: "and", of: [when, { op: "not", of: unless }] };

/** Where an offset into a rule's expression stands in its file; without a file, in the expression itself. */
export type Locate = (rule: string, part: "when" | "unless", offset: number) => { line: number; column: number };

export interface ReadOptions {
  readonly world?: World | undefined;
  readonly locate?: Locate | undefined;
}

export interface Read {
  readonly rules: readonly Rule[];
  readonly problems: readonly PlacedProblem[];
}

/** Parses and checks every rule and reports all that is wrong; rules with a problem are not among `rules`. */
export function readRules(texts: Rules, { world, locate }: ReadOptions = {}): Read {
  const ids = Object.keys(texts);
  const problems: PlacedProblem[] = [];
  const rules: Rule[] = [];
  if (ids.length > limits.rules) {
    const message = `the file has ${ids.length} rules, more than ${limits.rules}`;
    return { rules, problems: [{ message, from: 0, to: 0, line: 1, column: 1 }] };
  }
  for (const id of ids) {
    const text = texts[id]!;
    const expression = (part: "when" | "unless", source: string) => {
      const found = readExpression(source, world);
      const where = (offset: number) => locate?.(id, part, offset) ?? place(source, offset);
      for (const problem of found.problems) problems.push({ ...problem, rule: id, part, ...where(problem.from) });
      return found.tree;
    };
    const when = expression("when", text.when);
    const unless = text.unless === undefined ? undefined : expression("unless", text.unless);
    if (!when || (text.unless !== undefined && !unless)) continue;
    rules.push(assemble(id, text, { when, ...(unless && { unless }) }));
  }
  return { rules, problems };
}

function readExpression(text: string, world: World | undefined): { tree?: Truth; problems: readonly Problem[] } {
  const parsed = parse(text);
  if (!parsed.ok) return { problems: parsed.problems };
  const problems = check(parsed.tree, { world, spans: parsed.spans });
  return problems.length > 0 ? { problems } : { tree: parsed.tree, problems };
}

const assemble = (id: string, text: RuleText, trees: Pick<Rule, "when" | "unless">): Rule => ({
  id,
  ...trees,
  cooldown: text.cooldown ?? us(0),
  actions: text.actions ?? [],
});

/** Every problem of rules made by the builders; their places are the printed expressions. */
export function checkRules(rules: readonly Rule[], world?: World): PlacedProblem[] {
  const spans = new Map<Expression, Span>();
  const seen = new Set<string>();
  const start = { from: 0, to: 0, line: 1, column: 1 };
  return rules.flatMap((rule) => {
    const twice: PlacedProblem[] = seen.has(rule.id)
      ? [{ message: "the id is used twice", rule: rule.id, ...start }]
      : [];
    seen.add(rule.id);
    const found = (["when", "unless"] as const).flatMap((part) => {
      const tree = rule[part];
      if (!tree) return [];
      return check(tree, { world, spans }).map((each): PlacedProblem => ({ ...each, rule: rule.id, part, ...start }));
    });
    return [...twice, ...found];
  });
}

/** The rules of a configuration as trees. Throws `RULE_INVALID` with the first problem; a set with a problem gives no rule. */
export function loadRules(texts: Rules, options: ReadOptions = {}): readonly Rule[] {
  const { rules, problems } = readRules(texts, options);
  if (problems.length > 0) throw invalid(problems);
  return rules;
}
