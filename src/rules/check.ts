import { isSenseError } from "../core/errors.js";
import { us } from "../core/time.js";
import { checkLength } from "./length.js";
import { limits } from "./limits.js";
import type { Span } from "./parser.js";
import { print, printNumber } from "./print.js";
import type { Problem } from "./problem.js";
import { type Expression, isQuantity, parts } from "./tree.js";
import { knows, unknownSignal, type World } from "./world.js";

export interface CheckOptions {
  /** Without it, names are not checked. */
  readonly world?: World | undefined;
  /** Where sub-expressions stand; those of a builder have no place. */
  readonly spans?: ReadonlyMap<Expression, Span> | undefined;
}

/** Every problem of one tree: names, durations, shape and size. Ends on cyclic and shared trees too. */
export function check(tree: Expression, { world, spans }: CheckOptions = {}): Problem[] {
  const problems: Problem[] = [];
  const path = new Set<Expression>();
  let size = 0;

  const report = (at: Expression, message: string, hint?: string): false => {
    const span = spans?.get(at) ?? { from: 0, to: 0 };
    problems.push({ message, ...(hint !== undefined && { hint }), ...span });
    return false;
  };

  /** False if the walk must end: what is wrong with the shape would be reported again and again. */
  const walk = (at: Expression): boolean => {
    const split = "Split the rule into several.";
    if (path.has(at)) return report(at, "the expression contains itself");
    if (path.size >= limits.depth) return report(at, `the expression is nested deeper than ${limits.depth}`, split);
    if (++size > limits.size) return report(at, `the rule has more than ${limits.size} sub-expressions`, split);
    path.add(at);
    const whole = parts(at).every(walk);
    path.delete(at);
    if (whole) inspect(at);
    return whole;
  };

  const inspect = (at: Expression) => {
    if (at.op === "signal" && world && !knows(world, at.sensor, at.concept)) {
      const { message, hint } = unknownSignal(world, at.sensor, at.concept);
      report(at, message, hint);
    }
    if ("within" in at) {
      const positive = at.op === "then" || at.op === "count";
      try {
        checkLength(at.within, { operator: at.op, least: positive ? limits.tick : us(0) });
      } catch (error) {
        if (!isSenseError(error, "BAD_DURATION")) throw error;
        report(at, error.message, error.hint);
      }
    }
    if (at.op === "number" && !canBeWritten(at.value)) report(at, `${at.value} is no number that can be written`);
    if ((at.op === "and" || at.op === "or") && at.of.length < 2) report(at, `${at.op} needs two sides`);
    if (at.op === "compare") inspectCount(at.left, at.right);
    if (at.op === "compare") inspectCount(at.right, at.left);
  };

  const inspectCount = (count: Expression, bound: Expression) => {
    if (count.op !== "count" || bound.op !== "number" || bound.value < limits.count) return;
    report(bound, `${print(count)} never exceeds ${limits.count}, it is compared with ${bound.value}`);
  };

  if (isQuantity(tree)) report(tree, `a ${tree.op} is used as a truth value`, "Compare it with a number.");
  walk(tree);
  return problems;
}

const canBeWritten = (value: number): boolean =>
  /^-?\d+(?:\.\d+)?$/.test(printNumber(value)) && Number(printNumber(value)) === value;
