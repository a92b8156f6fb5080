import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../src/config.js";

const minimal = "sensors:\n  mic: { device: files, modality: audio }\n";

describe("a configuration with a slip is refused with its place and what was meant", () => {
  test.each([
    [`${minimal}conecpts: {}`, "c.yaml:3:1", 'Did you mean "concepts"?'],
    ["sensors:\n  mic: { device: files, modallity: audio }", "c.yaml:2:", "modality"],
    ["sensors:\n  mic: { device: files, modality: smell }", "c.yaml:2:25", "schema config"],
    ["sensors:\n  Mic/#: { device: files, modality: audio }", "c.yaml:2", "schema config"],
    [`${minimal}concepts:\n  dog: { texts: a dog, falsealarms: 1/day }`, "c.yaml:4:24", 'Did you mean "falseAlarms"?'],
    [`${minimal}concepts:\n  dog: { texts: a dog, falseAlarms: often }`, "c.yaml:4:24", "schema config"],
    [`${minimal}concepts:\n  dog: { texts: a dog, on: 0.3, off: 0.5 }`, "c.yaml:4", "schema config"],
    [`${minimal}rules:\n  r: { when: "mic.dog", cooldwn: 5s }`, "c.yaml:4", 'Did you mean "cooldown"?'],
    [`${minimal}broker: http://x`, "c.yaml:3:1", "schema config"],
    ["sensors: [", "c.yaml:1:", "not valid YAML"],
    ["sensors:\n  room: { fuse: [mic, mic2], hodl: 2s }", "c.yaml:2:30", "hold"],
    [
      "sensors:\n  mic: { device: files, modality: audio }\n  room: { fuse: [mic, mik] }",
      "c.yaml:3:11",
      "schema config",
    ],
  ])("%j", (text, place, hint) => {
    expect(() => parseConfig(text, "c.yaml")).toThrow(
      expect.objectContaining({
        code: "BAD_CONFIG",
        message: expect.stringContaining(place),
        hint: expect.stringContaining(hint),
      }),
    );
  });
});

test("defaults are those that the documentation promises", () => {
  const config = parseConfig(minimal, "c.yaml");
  expect(config).toMatchObject({
    node: "node",
    bundle: "nano",
    publish: { embeddings: "float32" },
    concepts: {},
    rules: {},
  });
  expect(config.broker).toBeUndefined();
});

test("an anchor that expands without end is refused and does not hang", () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
    .split("")
    .map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefgh"[i]}`).join(",")}]`)
    .join("\n")}`;
  expect(() => parseConfig(bomb, "c.yaml")).toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
});

test.each(["demo/demo.yaml", "files/sensebind.yaml"])("the example %s is a valid configuration", (path) => {
  const text = readFileSync(new URL(`../examples/${path}`, import.meta.url), "utf8");
  expect(Object.keys(parseConfig(text, path).sensors).length).toBeGreaterThan(2);
});
