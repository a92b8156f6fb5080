import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { grammar } from "../../src/rules/grammar.js";
import { limits } from "../../src/rules/limits.js";
import { keywords } from "../../src/rules/tokens.js";
import { diagrams, truthOf } from "./diagram.js";

const page = new URL("../../docs/rules.md", import.meta.url);
const text = readFileSync(page, "utf8");

describe("docs/rules.md", () => {
  const cases = diagrams(page).flatMap(({ heading, signals, expressions }) =>
    Object.entries(expressions).map(([expression, drawn]) => ({ heading, signals, expression, drawn })),
  );

  test.each(cases)("$heading: $expression is what the page draws", ({ signals, expression, drawn }) => {
    expect(truthOf(expression, signals)).toBe(drawn);
  });

  test("its TypeScript runs as it stands", async () => {
    const code = /```ts\n([\s\S]*?)```/.exec(text)![1]!;
    const names = /import \{ (.*) \} from "sensebind";/.exec(code)!;
    const body = code.replace(names[0], `const { ${names[1]} } = sensebind;`);
    const run = new Function("sensebind", `${body}\nreturn { engine, alerts };`) as (api: object) => {
      alerts: unknown[];
    };
    expect(run(await import("../../src/index.js")).alerts).toEqual([]);
  });

  test("every operator has a diagram", () => {
    const shown = cases.map(({ expression }) => expression).join(" ");
    expect(keywords.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(shown))).toEqual([]);
  });

  test("the grammar is the one that editors show", () => {
    expect(text).toContain(`\`\`\`text\n${grammar}\`\`\``);
  });

  test("the table of bounds lists every bound", () => {
    const rows = [...text.matchAll(/^\| `(\w+)` \| (\d+) /gm)].map(([, name, value]) => [name, Number(value)]);
    const days = limits.window / 86_400_000_000;
    const table = { ...limits, window: days, ahead: limits.ahead / 3_600_000_000 };
    expect(Object.fromEntries(rows)).toEqual(table);
  });
});
