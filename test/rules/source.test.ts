import { describe, expect, test } from "vitest";
import { s } from "../../src/core/time.js";
import { describe as sentence } from "../../src/rules/problem.js";
import { readSource } from "../../src/rules/source.js";

const world = { mic: ["glass_breaking"], thermal: ["person", "hot_pan"], camera: ["cat", "dog"], imu: ["fall"] };
const problems = (text: string) =>
  readSource(text, { source: "r.yaml", world }).problems.map((problem) => sentence(problem, "r.yaml"));

describe("a file of rules", () => {
  test("is read with its patience and its defaults", () => {
    const {
      rules,
      problems: none,
      patience,
    } = readSource(
      `lateness: 500ms
idle: 1m
rules:
  break-in:
    when: mic.glass_breaking then thermal.person within 5s
    unless: camera.cat
    cooldown: 30s
    actions:
      - { do: publish, topic: siren/on, message: "{rule}" }
`,
      { source: "r.yaml" },
    );
    expect(none).toEqual([]);
    expect(patience).toEqual({ lateness: 500_000, idle: s(60) });
    expect(rules[0]).toMatchObject({
      id: "break-in",
      cooldown: s(30),
      actions: [{ do: "publish", on: "begin", retain: false, topic: "siren/on", message: "{rule}" }],
    });
  });

  test.each([
    ["rules:\n  a:\n    when: thermal.persn\n", "r.yaml:3:11: rule a, when: thermal has no concept persn"],
    ["rules:\n  a: { when: 'camera.cat or camera.dgo' }\n", "r.yaml:2:29: rule a, when: camera has no concept dgo"],
    [
      "rules:\n  a:\n    when: >-\n      camera.cat\n      or camera.dgo\n",
      "r.yaml:5:10: rule a, when: camera has no concept dgo",
    ],
    [
      "rules:\n  a:\n    when: |\n      camera.cat\n        or\n      camera.dgo\n",
      "r.yaml:6:7: rule a, when: camera has no concept dgo",
    ],
    [
      'rules:\n  a:\n    when: camera.cat\n    unless: "camera.dgo"\n',
      "r.yaml:4:14: rule a, unless: camera has no concept dgo",
    ],
    ["rules:\n  a:\n    when: camera.cat and\n", "r.yaml:3:25: rule a, when: the expression ends"],
    ["rules:\n  a:\n    wen: camera.cat\n", "r.yaml:3:5: rule a: the rule has no `when`"],
    ["rules:\n  a:\n    when: 5\n", "r.yaml:3:11: rule a: when: Invalid input: expected string"],
    ["rules:\n  a:\n    when: camera.cat\n    cooldown: -5s\n", "r.yaml:4:15: rule a: cooldown: write a duration"],
    ["rules:\n  A b: { when: camera.cat }\n", 'r.yaml:2:8: rule A b: "A b" is no rule id: use 1 to 64'],
    [
      "rules:\n  a: { when: camera.cat, actions: [{ do: shell, command: reboot }] }\n",
      "actions.0.do: Invalid discriminator",
    ],
    ["rules: &all\n  a: *all\n", "rule a: the rule has no `when`"],
    ["rulez: {}\n", "r.yaml:1:1: the file has no `rules:` section"],
    ["", "r.yaml:1:1: the file has no `rules:` section"],
  ])("%j: the mistake is found at its place", (text, message) => {
    expect(problems(text)[0]).toContain(message);
  });

  test("reports all mistakes, and gives the rules that have none", () => {
    const text =
      "rules:\n  a: { when: camera.ct }\n  b: { when: camera.cat }\n  c: { when: imu.fal, unless: mic.glass_braking }\n";
    const read = readSource(text, { source: "r.yaml", world });
    expect(read.problems.map(({ rule, part, hint }) => [rule, part, hint])).toEqual([
      ["a", "when", "Did you mean camera.cat?"],
      ["c", "when", "Did you mean imu.fall?"],
      ["c", "unless", "Did you mean mic.glass_breaking?"],
    ]);
    expect(read.rules.map(({ id }) => id)).toEqual(["b"]);
  });

  test("that is no YAML says where", () => {
    expect(() => readSource("rules:\n  a: [\n", { source: "r.yaml" })).toThrow(/^r.yaml:\d+:\d+: /);
  });
});
