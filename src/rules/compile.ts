import { printDuration } from "../core/duration.js";
import type { RuleBuilder } from "./build.js";
import { print } from "./print.js";
import { invalid } from "./problem.js";
import { type Compiled, type CompiledRule, code, type Named, type Slot } from "./program.js";
import { checkRules, condition, loadRules, type Rule } from "./rule.js";
import type { Rules } from "./schema.js";
import type { Expression, Quantity, Signal, Truth } from "./tree.js";
import { lostConcept, type World } from "./world.js";

/**
 * Compiles rules, from a configuration or from the builders. With a world, all its signals are followed, so that a rule
 * loaded later knows what is true already. Throws `RULE_INVALID`.
 */
export function compile(rules: Rules | readonly (Rule | RuleBuilder)[], world?: World): Compiled {
  const list = isList(rules) ? rules.map((each) => ("rule" in each ? each.rule : each)) : loadRules(rules, { world });
  const problems = isList(rules) ? checkRules(list, world) : [];
  if (problems.length > 0) throw invalid(problems);
  const lowering = new Lowering();
  for (const [sensor, concepts] of Object.entries(world ?? {})) {
    for (const concept of [...concepts, lostConcept]) lowering.slot({ op: "signal", sensor, concept });
  }
  return lowering.all(list);
}

const isList = <T>(rules: Rules | readonly T[]): rules is readonly T[] => Array.isArray(rules);

interface Draft {
  readonly index: number;
  readonly sensor: string;
  readonly concept: string;
  reach: number;
  endReach: number;
  readonly onTruth: Set<number>;
  readonly onScore: Set<number>;
}

/** What surrounds the sub-expression that is being lowered. */
interface Around {
  readonly reach: number;
  readonly ends: boolean;
}

/** Flattens trees into one array of nodes, operands first. Recursion is bounded: `check` has limited the depth. */
class Lowering {
  private readonly nodes: number[] = [];
  private readonly args: number[] = [];
  private readonly origins: (Expression | null)[] = [];
  private readonly slots = new Map<string, Draft>();
  private rings = 0;
  private rule = 0;
  private names = new Map<number, Named>();
  private values = new Map<string, number>();
  private counts: number[] = [];

  all(list: readonly Rule[]): Compiled {
    const rules = list.map((rule) => this.one(rule));
    const slots = [...this.slots.values()].map(
      ({ sensor, concept, reach, endReach, onTruth, onScore }): Slot => ({
        sensor,
        concept,
        reach,
        endReach,
        onTruth: [...onTruth],
        onScore: [...onScore],
      }),
    );
    return {
      rules,
      slots,
      nodes: Int32Array.from(this.nodes),
      args: Float64Array.from(this.args),
      origins: this.origins,
      rings: this.rings,
    };
  }

  slot({ sensor, concept }: Signal): Draft {
    const name = `${sensor}.${concept}`;
    const known = this.slots.get(name);
    if (known) return known;
    const index = this.slots.size;
    const draft = {
      index,
      sensor,
      concept,
      reach: 0,
      endReach: -1,
      onTruth: new Set<number>(),
      onScore: new Set<number>(),
    };
    this.slots.set(name, draft);
    return draft;
  }

  private one(rule: Rule): CompiledRule {
    this.names = new Map();
    this.values = new Map();
    this.counts = [];
    const tree = condition(rule);
    const first = this.args.length;
    const last = this.lower(tree, { reach: 0, ends: false });
    this.rule++;
    return {
      rule,
      tree,
      text: `${print(tree)} | ${printDuration(rule.cooldown)}`,
      first,
      last,
      names: [...this.names.values()],
      values: [...this.values],
      counts: this.counts,
    };
  }

  private node(op: number, left: number, right: number, arg = 0): number {
    this.nodes.push(op, left, right);
    this.origins.push(null);
    return this.args.push(arg) - 1;
  }

  private lower(tree: Expression, around: Around): number {
    const node = this.operation(tree, around);
    this.origins[node] = tree;
    return node;
  }

  private operation(tree: Expression, around: Around): number {
    switch (tree.op) {
      case "signal":
        return this.signal(tree, around);
      case "score": {
        const slot = this.name(tree.of, around);
        slot.onScore.add(this.rule);
        return this.node(code.score, slot.index, 0);
      }
      case "number":
        return this.node(code.number, 0, 0, tree.value);
      case "not":
        return this.node(code.not, this.lower(tree.of, around), 0);
      case "and":
      case "or":
        return tree.of
          .map((part) => this.lower(part, around))
          .reduce((left, right) => this.node(code[tree.op], left, right));
      case "since": {
        const hold = this.lower(tree.hold, around);
        return this.node(code.since, hold, this.lower(tree.from, around));
      }
      case "once":
      case "always":
        return this.node(code[tree.op], this.lower(tree.of, further(around, tree.within)), 0, tree.within);
      case "begin":
        return this.begin(tree.of, around);
      case "end":
        return this.node(code.end, this.lower(tree.of, { ...around, ends: true }), 0);
      case "then": {
        const first = this.begin(tree.first, further(around, tree.within));
        return this.node(code.then, first, this.begin(tree.next, around), tree.within);
      }
      case "count": {
        // (t - d, t] holds whole µs: its first is t - d + 1.
        const begin = this.begin(tree.of, further(around, tree.within - 1));
        this.counts.push(this.rings);
        return this.node(code.count, begin, this.rings++, tree.within);
      }
      case "compare": {
        const left = this.quantity(tree.left, around);
        return this.node(code[tree.sign], left, this.quantity(tree.right, around));
      }
      default:
        return tree satisfies never;
    }
  }

  private begin(tree: Truth, around: Around): number {
    return this.node(code.begin, this.lower(tree, around), 0);
  }

  private quantity(tree: Quantity, around: Around): number {
    const node = this.lower(tree, around);
    if (tree.op !== "number") this.values.set(print(tree), node);
    return node;
  }

  private signal(tree: Signal, around: Around): number {
    const slot = this.name(tree, around);
    slot.onTruth.add(this.rule);
    return this.node(code.signal, slot.index, 0);
  }

  /** Notes that the rule names the signal; where it names it twice, the wider reach counts. */
  private name(tree: Signal, { reach, ends }: Around): Draft {
    const slot = this.slot(tree);
    const known = this.names.get(slot.index);
    const named = {
      slot: slot.index,
      evidence: slot.concept !== lostConcept,
      reach: Math.max(reach, known?.reach ?? 0),
      endReach: Math.max(ends ? reach : -1, known?.endReach ?? -1),
    };
    this.names.set(slot.index, named);
    slot.reach = Math.max(slot.reach, named.reach);
    slot.endReach = Math.max(slot.endReach, named.endReach);
    return slot;
  }
}

const further = ({ reach, ends }: Around, window: number): Around => ({ reach: reach + window, ends });
