import { isSenseError } from "../core/errors.js";
import { Id } from "../core/modality.js";
import { type Duration, us } from "../core/time.js";
import { check } from "./check.js";
import { checkLength } from "./length.js";
import { limits } from "./limits.js";
import { parse } from "./parse.js";
import { invalid, type PlacedProblem, type Problem, place, type RulePart } from "./problem.js";
import type { Action, Rules, RuleText } from "./schema.js";
import type { Truth } from "./tree.js";
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
export type Locate = (rule: string, part: RulePart, offset: number) => { line: number; column: number };

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
    return { rules, problems: [tooMany(ids.length)] };
  }
  for (const id of ids) {
    const text = texts[id]!;
    const report = (part: RulePart, source: string, found: readonly Problem[]) => {
      const where = (offset: number) => locate?.(id, part, offset) ?? place(source, offset);
      for (const problem of found) problems.push({ ...problem, rule: id, part, ...where(problem.from) });
    };
    const expression = (part: "when" | "unless", source: string) => {
      const found = readExpression(source, world);
      report(part, source, found.problems);
      return found.tree;
    };
    const when = expression("when", text.when);
    const unless = text.unless === undefined ? undefined : expression("unless", text.unless);
    const cooldown = lengthProblem(text.cooldown ?? us(0));
    report("cooldown", "", cooldown);
    if (!when || (text.unless !== undefined && !unless) || cooldown.length > 0) continue;
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

function lengthProblem(span: Duration): Problem[] {
  try {
    checkLength(span);
    return [];
  } catch (error) {
    if (!isSenseError(error, "BAD_DURATION")) throw error;
    return [{ message: error.message, ...(error.hint !== undefined && { hint: error.hint }), from: 0, to: 0 }];
  }
}

const assemble = (id: string, text: RuleText, trees: Pick<Rule, "when" | "unless">): Rule => ({
  id,
  ...trees,
  cooldown: text.cooldown ?? us(0),
  actions: text.actions ?? [],
});

/** Every problem of rules made by the builders; what they are about has no place in a text. */
export function checkRules(rules: readonly Rule[], world?: World): PlacedProblem[] {
  const seen = new Set<string>();
  const all = rules.flatMap((rule): PlacedProblem[] => {
    const nowhere = { rule: rule.id, line: 1, column: 1 };
    const whole = (message: string): PlacedProblem[] => [{ message, ...nowhere, from: 0, to: 0 }];
    const twice = seen.has(rule.id) ? whole("the id is used twice") : [];
    seen.add(rule.id);
    const id = Id.safeParse(rule.id);
    const trees = (["when", "unless"] as const).flatMap((part) => {
      const tree = rule[part];
      return tree ? check(tree, { world }).map((each): PlacedProblem => ({ ...each, ...nowhere, part })) : [];
    });
    const cooldown = lengthProblem(rule.cooldown).map(
      (each): PlacedProblem => ({ ...each, ...nowhere, part: "cooldown" }),
    );
    const name = id.success ? [] : whole(`"${rule.id}" is no rule id: ${id.error.issues[0]?.message}`);
    return [...twice, ...name, ...trees, ...cooldown];
  });
  return all.length === 0 && rules.length > limits.rules ? [tooMany(rules.length)] : all;
}

const tooMany = (count: number): PlacedProblem => ({
  message: `there are ${count} rules, more than ${limits.rules}`,
  from: 0,
  to: 0,
  line: 1,
  column: 1,
});

/** The rules of a configuration as trees. Throws `RULE_INVALID` with the first problem; a set with a problem gives no rule. */
export function loadRules(texts: Rules, options: ReadOptions = {}): readonly Rule[] {
  const { rules, problems } = readRules(texts, options);
  if (problems.length > 0) throw invalid(problems);
  return rules;
}
