import fc from "fast-check";
import { expect, it } from "vitest";
import { parseTopic, topics, topicTable } from "../../src/publish/topics.js";

const id = fc.stringMatching(/^[a-z0-9_-]{1,64}$/);
const node = fc.stringMatching(/^[a-z0-9-]{1,32}$/);

it("a topic that was made is read as what it was made of", () => {
  fc.assert(
    fc.property(node, id, id, (node, a, b) => {
      const made = topics(node);
      expect(parseTopic(made.status)).toEqual({ kind: "status", node });
      expect(parseTopic(made.sensorStatus(a))).toEqual({ kind: "sensorStatus", node, sensor: a });
      expect(parseTopic(made.embedding(a))).toEqual({ kind: "embedding", node, sensor: a });
      expect(parseTopic(made.event(a, b))).toEqual({ kind: "event", node, sensor: a, concept: b });
      expect(parseTopic(made.state(a, b))).toEqual({ kind: "state", node, sensor: a, concept: b });
      expect(parseTopic(made.alert(a))).toEqual({ kind: "alert", node, rule: a });
      expect(parseTopic(made.command("concepts/set"))).toEqual({ kind: "command", node, name: "concepts/set" });
      expect(parseTopic(made.action(`${a}/${b}`))).toEqual({ kind: "action", node, name: `${a}/${b}` });
      expect(parseTopic(made.reply(a))).toEqual({ kind: "reply", node, name: a });
    }),
  );
});

it("no id can add a topic level or a wildcard", () => {
  for (const bad of ["", "a/b", "+", "#", "A", "ä", "a b", "a\0", "x".repeat(65), "../a"]) {
    for (const make of [topics("n").sensorStatus, topics("n").embedding, topics("n").alert]) {
      expect(() => make(bad)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    }
    expect(() => topics("n").event("ok", bad)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    expect(() => topics(bad)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  }
});

it("topics of others are not ours, whatever they are", () => {
  fc.assert(
    fc.property(fc.string(), (topic) => {
      const parsed = parseTopic(topic);
      if (parsed !== undefined) expect(Object.keys(topicTable)).toContain(parsed.kind);
    }),
  );
  for (const topic of ["sensebind", "sensebind/n", "sensebind/n/status/x", "sensebind/n/event/a", "x/n/status"]) {
    expect(parseTopic(topic)).toBeUndefined();
  }
});
