import type { Engine } from "./engine.js";
import { print } from "./print.js";
import type { Compiled, CompiledRule } from "./program.js";
import { type Expression, isQuantity, parts } from "./tree.js";

/** What one sub-expression is at a time. */
export interface Explained {
  readonly text: string;
  readonly value: boolean | number;
  /** Of a signal: the events that last. */
  readonly events?: readonly string[];
  readonly parts: readonly Explained[];
}

/** What each part of a rule is at the last time that the engine has evaluated. */
export function explain({ board }: Engine, { tree, first, last }: CompiledRule): Explained {
  const nodes = new Map<Expression, number>();
  for (let node = first; node <= last; node++) {
    const origin = board.compiled.origins[node];
    if (origin) nodes.set(origin, node);
  }
  const one = (each: Expression): Explained => {
    const node = nodes.get(each);
    const value = node === undefined ? Number.NaN : board.cells.values[node]!;
    return {
      text: print(each),
      value: isQuantity(each) ? value : value === 1,
      ...(each.op === "signal" && { events: lasting(board.compiled, each.sensor, each.concept) }),
      parts:
        each.op === "score"
          ? []
          : parts(each)
              .filter((part) => part.op !== "number")
              .map(one),
    };
  };
  const lasting = ({ slots }: Compiled, sensor: string, concept: string): string[] => {
    const slot = slots.findIndex((each) => each.sensor === sensor && each.concept === concept);
    return board.followed[slot]?.open.map(({ id }) => id) ?? [];
  };
  return one(tree);
}

/** The explanation as lines, one a sub-expression, indented by depth. */
export function explanationLines({ text, value, events = [], parts: inner }: Explained, depth = 0): string[] {
  const causes = events.length === 0 ? "" : `   ${events.join(" ")}`;
  const own = `${"  ".repeat(depth)}${String(value).padEnd(5)} ${text}${causes}`;
  return [own, ...inner.flatMap((part) => explanationLines(part, depth + 1))];
}
