import { readFileSync } from "node:fs";
import type { Alert } from "../../src/core/alert.js";
import { draw, marbleLength, marbles } from "../../src/core/marbles.js";
import { micros } from "../../src/core/time.js";
import { compile } from "../../src/rules/compile.js";
import { engine } from "../../src/rules/save.js";
import type { Rules } from "../../src/rules/schema.js";

/** One diagram of docs/rules.md: the lines of some signals, then the lines of some expressions. */
export interface Diagram {
  readonly heading: string;
  readonly signals: Readonly<Record<string, string>>;
  readonly expressions: Readonly<Record<string, string>>;
}

/**
 * Every block marked ```marbles of a text. A line is a name, two blanks or more, and a diagram; a name that is no plain
 * signal, or comes a second time after a line `=`, is an expression.
 */
export function diagrams(path: URL): Diagram[] {
  const text = readFileSync(path, "utf8");
  return [...text.matchAll(/```marbles\n([\s\S]*?)```/g)].map((match) => {
    const [signals = "", expressions = ""] = match[1]!.split(/^=+$/m);
    const before = text.slice(0, match.index);
    const heading = [...before.matchAll(/^#+ (.*)$/gm)].at(-1)?.[1] ?? "";
    return { heading, signals: lines(signals), expressions: lines(expressions) };
  });
}

const lines = (block: string): Record<string, string> =>
  Object.fromEntries(
    block
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => {
        const [name = "", diagram = ""] = line.split(/\s{2,}/);
        return [name, diagram];
      }),
  );

/** The alerts of rules over diagrams, one second a character. */
export function run(rules: Rules, signals: Readonly<Record<string, string>>): Alert[] {
  const running = engine(compile(rules), { node: "n", start: micros(0) });
  return [...marbles(signals), { kind: "end" } as const].flatMap((input) => running.push(input));
}

/** The truth of an expression over the diagrams, as a diagram. */
export function truthOf(expression: string, signals: Readonly<Record<string, string>>): string {
  const length = Math.max(...Object.values(signals).map(marbleLength));
  return draw(run({ it: { when: expression } }, signals), { rule: "it", length });
}
