import { describe, expect, test } from "vitest";
import { marbles } from "../../src/core/marbles.js";
import { micros, ms, s } from "../../src/core/time.js";
import { compile } from "../../src/rules/compile.js";
import { explain, explanationLines } from "../../src/rules/explain.js";
import { engine } from "../../src/rules/save.js";
import { runTrial } from "../../src/rules/trial.js";

const rules = compile({
  "break-in": { when: "mic.glass then thermal.person within 3s" },
  hot: { when: "thermal.hot for 2s" },
});

describe("a test of rules", () => {
  test("passes if every rule gives the alerts drawn for it", () => {
    const trial = {
      trace: { "mic.glass": "-#---", "thermal.person": "---##", "thermal.hot": "#####" },
      alerts: { "break-in": "---!-", hot: "--###" },
    };
    expect(runTrial(rules, trial, { unit: s(1) })).toEqual([]);
  });

  test("fails with both diagrams, for a rule that it does not name too", () => {
    const trial = { trace: { "mic.glass": "-#---", "thermal.hot": "#####" }, alerts: { "break-in": "---!-" } };
    expect(runTrial(rules, trial, { unit: s(1) })).toEqual([
      { rule: "break-in", expected: "---!-", actual: "-----" },
      { rule: "hot", expected: "-----", actual: "--###" },
    ]);
  });

  test("says so where it names a rule that is not there", () => {
    expect(runTrial(rules, { trace: {}, alerts: { "brake-in": "-" } }, { unit: s(1) })).toEqual([
      { rule: "brake-in", expected: "-", actual: "no such rule" },
    ]);
  });

  test("can be drawn in another unit", () => {
    const trial = { trace: { "thermal.hot": "########" }, alerts: { hot: "----####" } };
    expect(runTrial(rules, trial, { unit: ms(500) })).toEqual([]);
  });

  test.each([
    [{ "mic.glass": "-x-" }, /"x" at character 2/],
    [{ "mic.glass": "-#>-" }, /">" at character 3/],
    [{ mic: "-#" }, /its name/],
  ])("with a diagram that is none is refused: %j", (trace, message) => {
    expect(() => runTrial(rules, { trace, alerts: {} }, { unit: s(1) })).toThrow(message);
  });
});

describe("a diagram", () => {
  test("is events with begin, updates and end at its characters", () => {
    const events = marbles({ "m.a": " -#39#[#- 5> " }, { start: micros(100), unit: s(1) });
    const shown = events.map((each) =>
      each.kind === "event" ? `${each.event.id} ${each.event.phase} ${each.event.at} ${each.event.score}` : "",
    );
    expect(shown).toEqual([
      "m.a#1 begin 1000100 1",
      "m.a#1 update 2000100 0.3",
      "m.a#1 update 3000100 0.9",
      "m.a#1 end 5000100 0",
      "m.a#2 begin 5000100 1",
      "m.a#2 end 7000100 0",
      "m.a#3 begin 8000100 0.5",
    ]);
  });
});

describe("an explanation", () => {
  test("tells what each sub-expression is at the time, and which events last", () => {
    const compiled = compile({
      r: { when: "(count(m.a, 10s) >= 2 or m.b for 2s) and not once(m.c, 1s)", unless: "score(m.b) < 0.5" },
    });
    const running = engine(compiled, { start: micros(0) });
    const inputs = marbles({ "m.a": "#-#----", "m.b": "---8888", "m.c": "#------" });
    for (const input of inputs) if (input.kind === "event" && input.event.at <= 4e6) running.push(input);
    running.push({ kind: "stop", at: micros(4e6) });
    expect(explanationLines(explain(running, compiled.rules[0]!))).toEqual([
      "true  ((count(m.a, 10s) >= 2 or m.b for 2s) and not once(m.c, 1s)) and not score(m.b) < 0.5",
      "  true  (count(m.a, 10s) >= 2 or m.b for 2s) and not once(m.c, 1s)",
      "    true  count(m.a, 10s) >= 2 or m.b for 2s",
      "      true  count(m.a, 10s) >= 2",
      "        2     count(m.a, 10s)",
      "          false m.a",
      "      false m.b for 2s",
      "        true  m.b   m.b#1",
      "    true  not once(m.c, 1s)",
      "      false once(m.c, 1s)",
      "        false m.c",
      "  true  not score(m.b) < 0.5",
      "    false score(m.b) < 0.5",
      "      0.8   score(m.b)",
    ]);
  });
});
