import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { compile } from "../../src/rules/compile.js";
import type { Input } from "../../src/rules/input.js";
import { engine } from "../../src/rules/save.js";
import { readSource } from "../../src/rules/source.js";
import { readTraceLine } from "../../src/rules/trace.js";
import { runTrial, TrialFile } from "../../src/rules/trial.js";

const file = (name: string) => readFileSync(new URL(`../../examples/rules/${name}`, import.meta.url), "utf8");
const text = file("rules.yaml");
const world = (parse(text) as { sensors: Record<string, string[]> }).sensors;
const { rules, problems } = readSource(text, { source: "rules.yaml", world });
const compiled = compile(rules);

describe("examples/rules", () => {
  test("has no problem", () => expect(problems).toEqual([]));

  const { tests, unit } = TrialFile.parse(parse(file("tests.yaml")));
  test.each(Object.entries(tests))("%s", (_, trial) => expect(runTrial(compiled, trial, { unit })).toEqual([]));

  test("gives an alert of four of its rules for its trace", () => {
    const running = engine(compiled);
    const lines = file("events.jsonl").trim().split("\n");
    const inputs: Input[] = [...lines.map((line, i) => readTraceLine(line, i + 1)), { kind: "end" }];
    const alerts = inputs.flatMap((input) => running.push(input)).filter(({ phase }) => phase === "begin");
    expect(alerts.map(({ rule }) => rule)).toEqual(["break-in", "unattended-pan", "fallen", "smoke"]);
  });
});
