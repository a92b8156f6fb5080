import { printDuration } from "../core/duration.js";
import type { Expression } from "./tree.js";

/** How tightly an operator binds; docs/rules.md lists them in this order. */
const tightness = ["then", "or", "and", "since", "not", "always", "compare"] as const;
const loosest = 0;
const tight = tightness.length;

const binding = (expression: Expression): number => {
  const place = (tightness as readonly string[]).indexOf(expression.op);
  return place < 0 ? tight : place;
};

/** A number without exponent, as the lexer reads it; one too large or too small for that does not come back the same. */
export const printNumber = (value: number): string =>
  Number.isInteger(value) || !/e/.test(String(value)) ? String(value) : value.toFixed(20).replace(/0+$/, "");

/** The expression in the language's own syntax, with no parentheses but those it needs: parse(print(e)) is e. */
export function print(expression: Expression): string {
  const inner = (part: Expression, least: number): string => {
    const text = print(part);
    return binding(part) < least ? `(${text})` : text;
  };
  switch (expression.op) {
    case "signal":
      return `${expression.sensor}.${expression.concept}`;
    case "number":
      return printNumber(expression.value);
    case "score":
      return `score(${print(expression.of)})`;
    case "once":
    case "count":
      return `${expression.op}(${print(expression.of)}, ${printDuration(expression.within)})`;
    case "begin":
    case "end":
      return `${expression.op}(${print(expression.of)})`;
    case "always":
      return `${inner(expression.of, binding(expression))} for ${printDuration(expression.within)}`;
    case "not":
      return `not ${inner(expression.of, binding(expression))}`;
    case "and":
    case "or":
      return expression.of.map((part) => inner(part, binding(expression) + 1)).join(` ${expression.op} `);
    case "since":
      return `${inner(expression.hold, binding(expression))} since ${inner(expression.from, binding(expression) + 1)}`;
    case "then": {
      const within = printDuration(expression.within);
      return `${inner(expression.first, loosest)} then ${inner(expression.next, binding(expression) + 1)} within ${within}`;
    }
    case "compare":
      return `${inner(expression.left, tight)} ${expression.sign} ${inner(expression.right, tight)}`;
    default:
      return expression satisfies never;
  }
}
