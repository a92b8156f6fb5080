import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Alert } from "../../src/core/alert.js";
import { jsonLines, sensebind } from "./spawn.js";

let dir: string;
const file = (name: string) => join(dir, name);

const rules = `rules:
  break-in:
    when: mic.glass_breaking then thermal.person within 5s
    unless: camera.cat
    cooldown: 30s
`;
const line = (id: string, signal: string, phase: string, seconds: number) => {
  const [sensor, concept] = signal.split(".");
  return JSON.stringify({ id, node: "hut", sensor, concept, phase, score: 0.9, at: seconds * 1e6 });
};
const trace = [
  line("p", "thermal.person", "begin", 4),
  line("g", "mic.glass_breaking", "begin", 2.5),
  line("g", "mic.glass_breaking", "end", 3),
  line("p", "thermal.person", "end", 9),
];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sensebind-rules-"));
  await writeFile(file("rules.yaml"), rules);
  await writeFile(
    file("wrong.yaml"),
    rules.replace("thermal.person", "thermal.persn").replace("camera.cat", "camera.ct"),
  );
  await writeFile(file("named.yaml"), `sensors: { mic: [glass_breaking], thermal: [person], camera: [cat] }\n${rules}`);
  await writeFile(
    file("config.yaml"),
    `sensors:
  mic: { device: sim-mic, modality: audio }
  thermal: { device: sim-thermal, modality: thermal }
  camera: { device: sim-camera, modality: vision }
concepts:
  glass_breaking: { texts: glass breaking, modalities: [audio] }
  person: { texts: a person, modalities: [thermal, vision] }
  cat: { texts: a cat, sensors: [camera] }
`,
  );
  await writeFile(file("events.jsonl"), `${trace.join("\n")}\n`);
  await writeFile(file("broken.jsonl"), `${trace[0]}\n{"id": 5}\n`);
});

describe("rules check", () => {
  test("accepts a file without mistakes, by itself or with the names of a configuration", async () => {
    const plain = await sensebind("rules", "check", file("rules.yaml"));
    expect([plain.code, plain.stdout]).toEqual([0, `${file("rules.yaml")}: 1 rule, no problem\n`]);
    const named = await sensebind("rules", "check", file("rules.yaml"), "--config", file("config.yaml"), "--json");
    expect([named.code, jsonLines(named.stdout)]).toEqual([
      0,
      [
        {
          rules: [
            { id: "break-in", condition: "(mic.glass_breaking then thermal.person within 5s) and not camera.cat" },
          ],
        },
      ],
    ]);
  });

  test("names every mistake with its place and what was meant, and exits with 2", async () => {
    const { code, stdout, stderr } = await sensebind(
      "rules",
      "check",
      file("wrong.yaml"),
      "--config",
      file("config.yaml"),
      "--json",
    );
    expect(code).toBe(2);
    expect(stderr).toContain(
      `RULE_INVALID: ${file("wrong.yaml")}:3:35: rule break-in, when: thermal has no concept persn\n`,
    );
    expect(stderr).toContain("hint: Did you mean camera.cat?\n");
    expect(jsonLines(stdout)).toMatchObject([
      { error: { code: "RULE_INVALID", hint: "Did you mean thermal.person?" } },
      { error: { code: "RULE_INVALID", hint: "Did you mean camera.cat?" } },
    ]);
  });

  test("takes the names from the file itself if it has them", async () => {
    expect((await sensebind("rules", "check", file("named.yaml"))).code).toBe(0);
  });
});

describe("rules replay", () => {
  test("prints the alerts of a trace as JSON lines, twice the same", async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => sensebind("rules", "replay", file("rules.yaml"), file("events.jsonl"))),
    );
    expect(first).toEqual(second);
    const alerts = jsonLines(first!.stdout).map((alert) => Alert.parse(alert));
    expect(alerts.map(({ node, rule, phase, at, because }) => [node, rule, phase, at, because])).toEqual([
      ["hut", "break-in", "begin", 4_000_000, ["g", "p"]],
      ["hut", "break-in", "end", 4_000_000, ["g", "p"]],
    ]);
    expect(first!.stderr).toContain("camera.cat does not occur in the trace");
  });

  test("says which line is no event", async () => {
    const { code, stderr } = await sensebind("rules", "replay", file("rules.yaml"), file("broken.jsonl"));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^BAD_TRACE: line 2 of the trace is no event: id: /)]);
  });

  test("says which file is missing", async () => {
    const { code, stderr } = await sensebind("rules", "replay", file("rules.yaml"), file("none.jsonl"));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^FILE_UNREADABLE: .*none.jsonl cannot be read\n/)]);
  });
});

describe("rules explain", () => {
  test("tells what each sub-expression is at a time", async () => {
    const { code, stdout } = await sensebind(
      "rules",
      "explain",
      file("rules.yaml"),
      file("events.jsonl"),
      "--at",
      "+1500ms",
    );
    expect(code).toBe(0);
    expect(stdout).toContain(
      "\n    true  mic.glass_breaking then thermal.person within 5s\n      false mic.glass_breaking\n      true  thermal.person   p\n",
    );
  });
});

describe("rules test", () => {
  const tests = (alert: string) => `rules: rules.yaml
tests:
  a person after glass:
    trace:
      mic.glass_breaking: "-##------"
      thermal.person:     "---###---"
    alerts:
      break-in:           "${alert}"
`;

  test("passes with 0 and fails with 1 and both diagrams", async () => {
    await writeFile(file("good.yaml"), tests("---!-----"));
    await writeFile(file("bad.yaml"), tests("----!----"));
    const good = await sensebind("rules", "test", file("good.yaml"));
    expect([good.code, good.stdout]).toEqual([0, "ok   a person after glass\n1 passed, 0 failed\n"]);
    const bad = await sensebind("rules", "test", file("bad.yaml"));
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain("expected  ----!----\n       actual    ---!-----\n");
  });
});

describe("rules schema", () => {
  test("is a JSON Schema that shows editors the grammar", async () => {
    const { stdout } = await sensebind("rules", "schema");
    const schema = JSON.parse(stdout) as { properties: { rules: object } };
    expect(JSON.stringify(schema.properties.rules)).toContain("disjunction = conjunction");
    expect(await readFile(new URL("../../docs/rules.md", import.meta.url), "utf8")).toContain(
      "disjunction = conjunction",
    );
  });
});
