import { describe, expect, test } from "vitest";
import type { Alert } from "../../src/core/alert.js";
import { silent } from "../../src/core/log.js";
import { type ActionPorts, Actions, fill } from "../../src/rules/actions.js";
import type { Action } from "../../src/rules/schema.js";
import { Rules } from "../../src/rules/schema.js";

const alert: Alert = {
  v: 1,
  id: "n:r:5",
  seq: 3,
  node: "n",
  rule: "r",
  phase: "begin",
  at: 5,
  because: ["e1", "e2"],
  values: { "count(m.a, 1h)": 3 },
};

/** Ports that write down what they are asked for; `fails` makes one of them fail. */
function ports(fails?: keyof ActionPorts): ActionPorts & { readonly asked: string[] } {
  const asked: string[] = [];
  const port =
    (name: keyof ActionPorts) =>
    async (...given: readonly unknown[]): Promise<void> => {
      if (name === fails) throw new Error("no route to host");
      asked.push(
        [name, ...given.filter((each) => !(each instanceof AbortSignal))]
          .map((each) => (typeof each === "string" ? each : JSON.stringify(each)))
          .join(" "),
      );
    };
  return {
    asked,
    webhook: port("webhook"),
    publish: port("publish"),
    snapshot: port("snapshot"),
    calibrate: port("calibrate"),
  };
}

const all: Action[] = [
  { do: "webhook", url: "http://h/x", on: "begin" },
  { do: "publish", topic: "siren/on", message: "{rule} at {at}", retain: true, on: "both" },
  { do: "snapshot", sensors: ["camera"], on: "end" },
  { do: "calibrate", sensor: "thermal", with: "camera", on: "end" },
];
const rules = (actions: readonly Action[]) => (id: string) => (id === "r" ? actions : []);
const options = (given: ActionPorts) => ({ ports: given, log: silent, signal: new AbortController().signal });

describe("actions", () => {
  test("run for the phase they name, with the alert", async () => {
    const given = ports();
    const actions = new Actions(rules(all), options(given));
    actions.run(alert);
    actions.run({ ...alert, rule: "another" });
    await actions.settled();
    expect(given.asked[0]).toBe(`webhook http://h/x ${JSON.stringify(alert)}`);
    expect(given.asked[1]).toMatch(/^publish siren\/on r at 5 \{"retain":true/);
    actions.run({ ...alert, phase: "end" });
    await actions.settled();
    expect(given.asked.map((each) => each.split(" ")[0])).toEqual([
      "webhook",
      "publish",
      "publish",
      "snapshot",
      "calibrate",
    ]);
    expect(actions.counts).toEqual({ done: 5, failed: 0, dropped: 0 });
  });

  test("that fail are counted and keep no other from running", async () => {
    const given = ports("webhook");
    const actions = new Actions(rules(all), options(given));
    actions.run(alert);
    await actions.settled();
    expect(given.asked).toHaveLength(1);
    expect(actions.counts).toEqual({ done: 1, failed: 1, dropped: 0 });
  });

  test("that hang hold nothing back and are limited in number", () => {
    const hanging: ActionPorts = { ...ports(), webhook: () => new Promise(() => {}) };
    const actions = new Actions(rules(all.slice(0, 1)), { ...options(hanging), capacity: 3 });
    for (let i = 0; i < 10; i++) actions.run(alert);
    expect(actions.counts).toEqual({ done: 0, failed: 0, dropped: 7 });
  });

  test("fill their template with the alert, and only with it", () => {
    const template = "{rule} {phase} {at} {id} {node} {because} {values} {constructor} {x} {";
    expect(fill(template, alert)).toBe('r begin 5 n:r:5 n e1,e2 {"count(m.a, 1h)":3} {constructor} {x} {');
  });

  test.each([
    [{ do: "shell", command: "reboot" }],
    [{ do: "webhook", url: "file:///etc/passwd" }],
    [{ do: "webhook", url: "javascript:alert(1)" }],
    [{ do: "publish", topic: "a/#", message: "x" }],
    [{ do: "publish", topic: "../other", message: "x" }],
    [{ do: "publish", topic: "/a", message: "x" }],
    [{ do: "snapshot", sensors: [] }],
  ])("of another kind are refused: %j", (action) => {
    expect(Rules.safeParse({ r: { when: "m.a", actions: [action] } }).success).toBe(false);
  });
});
