import { describe, expect, test } from "vitest";
import { marbles } from "../../src/core/marbles.js";
import { micros, s } from "../../src/core/time.js";
import type { Input } from "../../src/rules/input.js";
import { LiveRules } from "../../src/rules/live.js";
import type { Rules } from "../../src/rules/schema.js";

const world = { m: ["a", "b"], x: ["b"] };
const live = (rules: Rules) => new LiveRules(rules, { world, node: "n", lateness: s(0), start: micros(0) });
const shown = (alerts: readonly { rule: string; phase: string; at: number }[]) =>
  alerts.map(({ rule, phase, at }) => `${rule} ${phase} ${at / 1e6}`);
const end: Input = { kind: "end" };

/** Tells the rules a trace, and changes them when time has come to `at` seconds. */
function through(
  rules: LiveRules,
  diagrams: Record<string, string>,
  [at, change]: readonly [number, () => unknown],
): string[] {
  const inputs: Input[] = marbles(diagrams);
  const until = inputs.filter((input) => (input.kind === "event" ? input.event.at : 0) < at * 1e6);
  const rest = inputs.slice(until.length);
  const before = [...until, { kind: "time", sensor: "m", at: micros(at * 1e6) } as const].flatMap((input) =>
    rules.push(input),
  );
  const changed = change() as { rule: string; phase: string; at: number }[];
  return shown([...before, ...(changed ?? []), ...[...rest, end].flatMap((input) => rules.push(input))]);
}

describe("rules that are exchanged while they run", () => {
  test("keep what unchanged rules remember", () => {
    const rules = live({ kept: { when: "m.a for 5s" }, other: { when: "m.b" } });
    const alerts = through(rules, { "m.a": "-########-" }, [
      4,
      () => rules.replace({ kept: { when: "m.a for 5s" }, other: { when: "x.b" } }),
    ]);
    expect(alerts).toEqual(["kept begin 6", "kept end 9"]);
  });

  test("keep counts, alerts and cooldowns of unchanged rules", () => {
    const rules = live({ kept: { when: "count(m.a, 10s) >= 3", cooldown: s(60) }, other: { when: "m.b" } });
    const alerts = through(rules, { "m.a": "-#-#---#--------" }, [
      5,
      () => rules.replace({ kept: { when: "count(m.a, 10s) >= 3", cooldown: s(60) } }),
    ]);
    expect(alerts).toEqual(["kept begin 7", "kept end 11"]);
  });

  test("end the alerts of rules that are gone or read differently", () => {
    const rules = live({ gone: { when: "m.a" }, changed: { when: "m.a or m.b" }, kept: { when: "m.a" } });
    const alerts = through(rules, { "m.a": "-########-" }, [
      4,
      () => rules.replace({ changed: { when: "m.a and m.b" }, kept: { when: "m.a" } }),
    ]);
    expect(alerts).toEqual([
      "gone begin 1",
      "changed begin 1",
      "kept begin 1",
      "gone end 4",
      "changed end 4",
      "kept end 9",
    ]);
  });

  test("a rule that is added knows what is true already, and its trace starts then", () => {
    const rules = live({ kept: { when: "m.b" } });
    const alerts = through(rules, { "m.a": "-########-" }, [
      4,
      () => rules.replace({ kept: { when: "m.b" }, added: { when: "any.a for 2s" } }),
    ]);
    expect(alerts).toEqual(["added begin 6", "added end 9"]);
  });

  test("a set with an error changes nothing that runs", () => {
    const rules = live({ kept: { when: "m.a for 5s" } });
    const alerts = through(rules, { "m.a": "-########-" }, [
      4,
      () => {
        expect(() => rules.replace({ bad: { when: "m.aa" } })).toThrow(/m has no concept aa/);
      },
    ]);
    expect(alerts).toEqual(["kept begin 6", "kept end 9"]);
  });
});
