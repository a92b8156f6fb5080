import type { Duration } from "../core/time.js";

/** `sensor.concept`; the sensor `any` is the disjunction over sensors, the concept `lost` is a status that is not ok. */
export interface Signal {
  readonly op: "signal";
  readonly sensor: string;
  readonly concept: string;
}

/** Signs of a comparison. */
export const signs = [">", ">=", "<", "<=", "==", "!="] as const;
export type Sign = (typeof signs)[number];

/** An expression that has a number at every time. */
export type Quantity =
  | { readonly op: "score"; readonly of: Signal }
  | { readonly op: "count"; readonly of: Truth; readonly within: Duration }
  | { readonly op: "number"; readonly value: number };

/** An expression that is true or false at every time. `a for d` is `always`. */
export type Truth =
  | Signal
  | { readonly op: "not"; readonly of: Truth }
  | { readonly op: "and"; readonly of: readonly Truth[] }
  | { readonly op: "or"; readonly of: readonly Truth[] }
  | { readonly op: "since"; readonly hold: Truth; readonly from: Truth }
  | { readonly op: "once"; readonly of: Truth; readonly within: Duration }
  | { readonly op: "always"; readonly of: Truth; readonly within: Duration }
  | { readonly op: "begin"; readonly of: Truth }
  | { readonly op: "end"; readonly of: Truth }
  | { readonly op: "then"; readonly first: Truth; readonly next: Truth; readonly within: Duration }
  | { readonly op: "compare"; readonly left: Quantity; readonly sign: Sign; readonly right: Quantity };

export type Expression = Truth | Quantity;

/** True for an expression whose value is a number. */
export function isQuantity(expression: Expression): expression is Quantity {
  return expression.op === "score" || expression.op === "count" || expression.op === "number";
}

/** The direct sub-expressions, in the order in which they are written. */
export function parts(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case "signal":
    case "number":
      return [];
    case "and":
    case "or":
      return expression.of;
    case "since":
      return [expression.hold, expression.from];
    case "then":
      return [expression.first, expression.next];
    case "compare":
      return [expression.left, expression.right];
    default:
      return [expression.of];
  }
}
