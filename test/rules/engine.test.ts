import { describe, expect, test } from "vitest";
import { Alert } from "../../src/core/alert.js";
import type { Event } from "../../src/core/event.js";
import { draw, marbles } from "../../src/core/marbles.js";
import { type Micros, micros, ms, s } from "../../src/core/time.js";
import { compile } from "../../src/rules/compile.js";
import type { EngineOptions } from "../../src/rules/engine.js";
import type { Input } from "../../src/rules/input.js";
import { limits } from "../../src/rules/limits.js";
import { engine } from "../../src/rules/save.js";
import type { Rules } from "../../src/rules/schema.js";
import { run } from "./diagram.js";
import { eventAt } from "./random.js";

const end: Input = { kind: "end" };
const at = (seconds: number): Micros => micros(seconds * 1e6);
let seq = 0;
const event = (id: string, signal: string, phase: Event["phase"], seconds: number, score = 1): Input => {
  const [sensor = "", concept = ""] = signal.split(".");
  return { kind: "event", event: eventAt({ id, seq: seq++, sensor, concept, phase, score, at: at(seconds) }) };
};
const time = (seconds: number, sensor?: string): Input => ({
  kind: "time",
  at: at(seconds),
  ...(sensor && { sensor }),
});
const started = (rules: Rules, options: EngineOptions = {}) => engine(compile(rules), { node: "n", ...options });
const simple: Rules = { r: { when: "m.a" } };

describe("an alert", () => {
  test("says which rule began and ended, when, because of which events and with which numbers", () => {
    const rules: Rules = { falls: { when: "count(imu.fall, 1h) >= 2", unless: "camera.cat" } };
    const alerts = run(rules, { "imu.fall": "-##-#--", "mic.dog": "#######" });
    const id = "n:falls:4000000";
    const because = ["imu.fall#1", "imu.fall#2"];
    const shared = { v: 1, id, node: "n", rule: "falls", because };
    expect(alerts).toEqual([
      { ...shared, seq: 0, phase: "begin", at: 4_000_000, values: { "count(imu.fall, 1h)": 2 } },
      { ...shared, seq: 1, phase: "end", at: 3_601_000_000, values: { "count(imu.fall, 1h)": 1 } },
    ]);
    for (const alert of alerts) expect(Alert.parse(alert)).toEqual(alert);
  });

  test("of an instant begins and ends at the same time", () => {
    const alerts = run({ r: { when: "m.a then m.b within 2s" } }, { "m.a": "-#----", "m.b": "--##--" });
    expect(alerts.map(({ phase, at }) => [phase, at])).toEqual([
      ["begin", 2_000_000],
      ["end", 2_000_000],
    ]);
  });

  test.each([
    ["0s", "#-#-#-#-#-#-#-"],
    ["1s", "#-#-#-#-#-#-#-"],
    ["3s", "#---#---#---#-"],
    ["4s", "#---#---#---#-"],
    ["5s", "#-----#-----#-"],
  ])(
    "after a cooldown of %s comes the first begin that is not sooner; a suppressed begin has no end",
    (cooldown, drawn) => {
      const rules = { r: { when: "m.a", cooldown: s(Number.parseInt(cooldown, 10)) } };
      const alerts = run(rules, { "m.a": "#-#-#-#-#-#-#-" });
      expect(draw(alerts, { rule: "r", length: 14 })).toBe(drawn);
      expect(alerts.filter(({ phase }) => phase === "end")).toHaveLength(alerts.length / 2);
    },
  );

  test("does not appear in the middle of what was suppressed, though the cooldown is over", () => {
    expect(draw(run({ r: { when: "m.a", cooldown: s(3) } }, { "m.a": "#-######" }), { rule: "r", length: 8 })).toBe(
      "#-------",
    );
  });

  test("lists as causes what is true or became true within the windows, oldest first, and nothing else", () => {
    const signals = { "m.a": "#--#-##----", "m.b": "-------#---", "m.c": "##########-", "x.y": "###########" };
    const causes = (when: string) => run({ r: { when } }, signals)[0]?.because;
    expect(causes("m.a then m.b within 4s")).toEqual(["m.a#2", "m.a#3", "m.b#1"]);
    expect(causes("m.a then m.b within 3999ms")).toEqual(["m.a#3", "m.b#1"]);
    expect(causes("(m.a then m.b within 4s) and m.c")).toEqual(["m.c#1", "m.a#2", "m.a#3", "m.b#1"]);
    expect(causes("count(m.a, 4s) >= 1 and m.b")).toEqual(["m.a#3", "m.b#1"]);
    expect(causes("end(m.c)")).toEqual(["m.c#1"]);
  });
});

describe("time", () => {
  test("of events in any order within the lateness gives the same alerts as in order", () => {
    const rules: Rules = { r: { when: "m.a then x.b within 3s" }, q: { when: "m.a for 1s" } };
    const inputs = marbles({ "m.a": "-##--##-", "x.b": "---#---#" });
    const running = started(rules);
    const ordered = [...inputs, end].flatMap((input) => running.push(input));
    const late = started(rules);
    // Each neighbour changes places: no message is later than one second.
    const shuffled = inputs.map((_, i) => inputs[i % 2 === 0 ? Math.min(i + 1, inputs.length - 1) : i - 1]!);
    expect([...shuffled, end].flatMap((input) => late.push(input))).toEqual(ordered);
    expect(late.dropped.late).toBe(0);
  });

  test("is held back to the slowest sensor's newest time minus the lateness", () => {
    const running = started(simple, { lateness: s(2), idle: s(60) });
    expect(running.push(event("1", "m.a", "begin", 10))).toEqual([]);
    expect(running.push(time(5, "slow"))).toEqual([]);
    expect(running.push(time(30, "m"))).toEqual([]);
    expect(running.push(time(12, "slow"))).toEqual([]);
    expect(running.push(time(12.000001, "slow")).map(({ phase }) => phase)).toEqual(["begin"]);
  });

  test("is no longer held back by a sensor that was silent for `idle`", () => {
    const running = started(simple, { lateness: s(0), idle: s(5) });
    running.push(event("1", "m.a", "begin", 10));
    running.push(time(9, "slow"));
    expect(running.push(time(13.999999, "m"))).toEqual([]);
    expect(running.push(time(14, "m"))).toHaveLength(1);
  });

  test("goes on by the clock where every sensor is silent", () => {
    const running = started({ r: { when: "m.a for 20s" } }, { lateness: s(2), idle: s(5) });
    running.push(event("1", "m.a", "begin", 10));
    expect(running.push(time(32))).toEqual([]);
    expect(running.push(time(32.000001)).map(({ at }) => at)).toEqual([30_000_000]);
  });

  test("that was evaluated does not change: what comes later is counted and dropped", () => {
    const running = started(simple, { lateness: ms(500) });
    running.push(time(10, "m"));
    expect(running.push(event("1", "m.a", "begin", 9.5))).toEqual([]);
    expect(running.push(event("2", "m.a", "begin", 9.499999))).toEqual([]);
    expect(running.dropped.late).toBe(1);
    expect(running.push(end).map(({ because }) => because)).toEqual([["1"]]);
  });

  test("starts at the first event, or where the engine was started", () => {
    const late = [event("1", "x.b", "begin", 10), event("1", "x.b", "end", 11), end];
    const first = started({ r: { when: "(not m.a) for 3s" } });
    const given = started({ r: { when: "(not m.a) for 3s" } }, { start: at(2) });
    expect(late.flatMap((input) => first.push(input)).map((alert) => alert.at)).toEqual([13_000_000]);
    expect(late.flatMap((input) => given.push(input)).map((alert) => alert.at)).toEqual([5_000_000]);
  });

  test("far ahead of the clock is not believed: it would make every other sensor late", () => {
    const running = started(simple);
    running.push(time(1_000));
    running.push(event("1", "m.a", "begin", 1e9));
    expect(running.dropped.ahead).toBe(1);
    running.push(event("2", "m.a", "begin", 1_001));
    expect(running.push(end).map(({ because }) => because)).toEqual([["2"]]);
  });

  test("stops with an end for every alert", () => {
    const running = started(simple);
    running.push(event("1", "m.a", "begin", 1));
    const alerts = running.push({ kind: "stop", at: at(3) });
    expect(alerts.map(({ phase, at }) => [phase, at])).toEqual([
      ["begin", 1_000_000],
      ["end", 3_000_000],
    ]);
    expect(running.push(end)).toEqual([]);
  });
});

describe("messages that are not as they should be", () => {
  test("a repeated begin, a second end and an update of nothing change nothing and are counted", () => {
    const running = started(simple);
    const begin = event("1", "m.a", "begin", 1);
    const inputs = [
      begin,
      begin,
      event("1", "m.a", "end", 2),
      event("1", "m.a", "end", 2),
      event("9", "m.a", "update", 2),
    ];
    const alerts = [...inputs, end].flatMap((input) => running.push(input));
    expect(alerts.map(({ phase, at }) => [phase, at])).toEqual([
      ["begin", 1_000_000],
      ["end", 2_000_000],
    ]);
    expect(running.dropped).toMatchObject({ duplicate: 1, orphan: 2 });
  });

  test("an event without an end lasts for ever", () => {
    const alerts = run({ r: { when: "m.a for 1h" } }, { "m.a": "-#>" });
    expect(alerts.map(({ phase, at }) => [phase, at])).toEqual([["begin", 3_601_000_000]]);
  });

  test("ids such as __proto__ and constructor are ids like any other", () => {
    const rules: Rules = JSON.parse(
      '{"__proto__": {"when": "__proto__.constructor"}, "constructor": {"when": "any.constructor"}}',
    );
    const running = started(rules);
    running.push(event("hasOwnProperty", "__proto__.constructor", "begin", 1));
    expect(running.push(end).map(({ rule }) => rule)).toEqual(["__proto__", "constructor"]);
  });

  test("a flood of begins without end keeps the newest and is counted", () => {
    const running = started(simple);
    for (let i = 0; i < 1_000; i++) running.push(event(`${i}`, "m.a", "begin", i));
    const [alert] = [event("last", "m.a", "begin", 1_000), end].flatMap((input) => running.push(input));
    expect(alert).toBeUndefined();
    expect(running.board.followed[0]?.open).toHaveLength(limits.open);
    expect(running.dropped.superseded).toBe(1_001 - limits.open);
  });

  test("a flood of events inside a window keeps memory within its bounds", () => {
    const running = started({ r: { when: "count(m.a, 24h) >= 9999" } });
    let alerts = 0;
    for (let i = 0; i < 30_000; i++) {
      alerts += running.push(event(`${i}`, "m.a", "begin", i / 10)).length;
      alerts += running.push(event(`${i}`, "m.a", "end", i / 10 + 0.05)).length;
    }
    expect(alerts).toBe(1);
    expect(running.board.cells.rings[0]?.times.length).toBe(limits.count);
    expect(running.board.followed[0]?.ended.length).toBe(limits.history);
    expect(running.board.progress[0]?.alert?.because).toHaveLength(limits.because);
  });

  test("a sensor that holds everything back cannot fill the memory", () => {
    const running = started(simple, { lateness: s(1e6), idle: s(1e6) });
    for (let i = 0; i < limits.pending + 100; i++) running.push(event(`${i}`, "m.a", i % 2 ? "end" : "begin", i));
    expect(running.pending.size).toBe(limits.pending);
    expect(running.dropped.hurried).toBe(100);
  });

  test("thousands of unknown sensors are not remembered one by one", () => {
    const running = started(simple);
    for (let i = 0; i < 5_000; i++) running.push(event(`${i}`, `s${i}.x`, "begin", i));
    expect(Object.keys(running.watermark.save().sensors)).toHaveLength(limits.sensors);
    expect(running.pending.size).toBe(0);
  });

  test("messages that arrive in reverse are sorted in bounded time", () => {
    const running = started(simple, { lateness: s(1e6) });
    for (let i = 20_000; i > 0; i--) running.push(event(`${i}`, "m.a", i % 2 ? "begin" : "end", i));
    expect(running.pending.list().map(({ at }) => at)).toEqual(Array.from({ length: 20_000 }, (_, i) => (i + 1) * 1e6));
  });
});

describe("sensors", () => {
  test("that are lost make their status true until they are ok again", () => {
    const rules: Rules = { r: { when: "m.lost for 2s" }, any: { when: "any.lost" } };
    const alerts = run(rules, { "m.lost": "-####--", "x.lost": "---###-" });
    expect(draw(alerts, { rule: "r", length: 7 })).toBe("---##--");
    expect(draw(alerts, { rule: "any", length: 7 })).toBe("-#####-");
    expect(alerts[0]?.because).toEqual([]);
  });
});

describe("many rules", () => {
  test("ten thousand of them load in seconds and a message touches only those that name its signal", () => {
    const rules = Object.fromEntries(
      Array.from({ length: limits.rules }, (_, i) => [`r${i}`, { when: `s${i}.a then s${i}.b within 5s` }]),
    );
    const running = started(rules);
    running.push(event("0", "s7.a", "begin", 1));
    running.push(event("1", "s7.b", "begin", 2));
    expect(running.push(end).map(({ rule }) => rule)).toEqual(["r7", "r7"]);
  });

  test("one more is an error", () => {
    const rules = Object.fromEntries(Array.from({ length: limits.rules + 1 }, (_, i) => [`r${i}`, { when: "m.a" }]));
    expect(() => compile(rules)).toThrow(/10001 rules, more than 10000/);
  });
});
