// Rules against json-rules-engine and cel-js, on one core: `npx tsx test/bench/rules.ts [events]`. CPU time, not wall time, is counted.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parse as parseCel } from "@marcbachmann/cel-js";
import { Engine as JsonRules } from "json-rules-engine";
import { traceFile } from "../../src/cli/trace-file.js";
import type { Event } from "../../src/core/event.js";
import { seeded } from "../../src/core/random.js";
import { s } from "../../src/core/time.js";
import { compile } from "../../src/rules/compile.js";
import type { Input } from "../../src/rules/input.js";
import { engine } from "../../src/rules/save.js";
import type { Rules } from "../../src/rules/schema.js";

const count = Number(process.argv[2] ?? 500_000);
const concepts = ["person", "fall", "glass", "pan", "cat"];
const sensors = Array.from({ length: 20 }, (_, i) => `s${i}`);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Messages of events of 20 sensors and 5 concepts, `gap` µs apart on average; half of those inside an event are updates. */
function traffic(total: number, gap: number): Event[] {
  const random = seeded(1);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const open = new Map<string, string>();
  let at = 1_764_000_000_000_000;
  return Array.from({ length: total }, (_, seq): Event => {
    at += Math.ceil(random() * 2 * gap);
    const [sensor, concept] = [pick(sensors), pick(concepts)];
    const signal = `${sensor}.${concept}`;
    const lasting = open.get(signal);
    const phase = lasting === undefined ? "begin" : random() < 0.5 ? "update" : "end";
    const id = lasting ?? `n:${signal}:${at}`;
    if (phase === "begin") open.set(signal, id);
    if (phase === "end") open.delete(signal);
    const score = Math.round(random() * 100) / 100;
    const [node, modality, space] = ["n", "other", "x"] as const;
    return { v: 1, id, seq, node, sensor, modality, concept, phase, score, from: at, to: at, at, space, latencyUs: 0 };
  });
}

/** Rules of every kind, over signals drawn at random. */
function ruleSet(total: number): Rules {
  const random = seeded(2);
  const signal = () => `s${Math.floor(random() * 20)}.${concepts[Math.floor(random() * 5)]}`;
  const kinds = [
    () => `${signal()} then ${signal()} within 5s`,
    () => `(${signal()} for 2m) and not once(${signal()}, 2m)`,
    () => `count(${signal()}, 1m) >= 3`,
    () => `${signal()} since ${signal()}`,
    () => `score(${signal()}) > 0.8 for 2s`,
  ];
  const each = (_: unknown, i: number) => [`r${i}`, { when: kinds[i % 5]!(), cooldown: s(30) }] as const;
  return Object.fromEntries(Array.from({ length: total }, each));
}

/** CPU seconds of this process that `work` takes. */
async function cpu(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const rate = (events: number, seconds: number): string =>
  `${Math.round(events / seconds).toLocaleString("en")} events/s`;

async function ours(inputs: readonly Input[], rules: number): Promise<number> {
  const compiled = compile(ruleSet(rules));
  let best = Number.POSITIVE_INFINITY;
  let alerts = 0;
  for (let round = 0; round < 3; round++) {
    const running = engine(compiled);
    alerts = 0;
    best = Math.min(
      best,
      await cpu(() => {
        for (const input of inputs) alerts += running.push(input).length;
        alerts += running.push({ kind: "end" }).length;
      }),
    );
  }
  console.log(`sensebind, ${rules} rules: ${rate(inputs.length, best)} (${alerts} alert messages)`);
  return inputs.length / best;
}

/** Bytes of heap an event takes, the median over short runs without a collection. */
function allocation(rules: number): void {
  const inputs = traffic(100_000, 1_000).map((event): Input => ({ kind: "event", event }));
  const running = engine(compile(ruleSet(rules)));
  const part = 5_000;
  const bytes: number[] = [];
  for (let from = 0; from + part <= inputs.length; from += part) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = from; i < from + part; i++) running.push(inputs[i]!);
    bytes.push((process.memoryUsage().heapUsed - before) / part);
  }
  bytes.sort((a, b) => a - b);
  console.log(`sensebind, ${rules} rules: ${bytes[bytes.length >> 1]!.toFixed(0)} bytes of heap an event`);
}

/** What the others are given: one predicate a rule over the event and the times of past begins, kept by hand around them. */
const predicate = (i: number) => {
  const [a, b] = [`s${i % 20}.${concepts[i % 5]}`, `s${(i * 7 + 3) % 20}.${concepts[(i * 3 + 1) % 5]}`];
  return { first: a, next: b, name: a.replace(".", "_") };
};

function facts(event: Event, begun: Map<string, number>): Record<string, unknown> {
  const signal = `${event.sensor}.${event.concept}`;
  const ages = Object.fromEntries([...begun].map(([name, at]) => [`age_${name.replace(".", "_")}`, event.at - at]));
  if (event.phase === "begin") begun.set(signal, event.at);
  return { signal, phase: event.phase, score: event.score, ...ages };
}

const everyAge = (): Map<string, number> =>
  new Map(sensors.flatMap((sensor) => concepts.map((concept) => [`${sensor}.${concept}`, 0] as const)));

async function cel(events: readonly Event[], rules: number): Promise<number> {
  const programs = Array.from({ length: rules }, (_, i) => {
    const { next, name } = predicate(i);
    return parseCel(`signal == "${next}" && phase == "begin" && age_${name} <= 5000000`);
  });
  const told = everyAge();
  const given = events.map((event) => facts(event, told));
  let fired = 0;
  const seconds = await cpu(() => {
    for (const fact of given) for (const program of programs) if (program(fact) === true) fired++;
  });
  console.log(`cel-js, ${rules} rules: ${rate(events.length, seconds)} (${fired} fired)`);
  return events.length / seconds;
}

async function jsonRules(events: readonly Event[], rules: number): Promise<number> {
  const others = new JsonRules([], { allowUndefinedFacts: true });
  for (let i = 0; i < rules; i++) {
    const { next, name } = predicate(i);
    const all = [
      { fact: "signal", operator: "equal", value: next },
      { fact: "phase", operator: "equal", value: "begin" },
      { fact: `age_${name}`, operator: "lessThanInclusive", value: 5_000_000 },
    ];
    others.addRule({ conditions: { all }, event: { type: `r${i}` } });
  }
  const told = everyAge();
  const given = events.map((event) => facts(event, told));
  let fired = 0;
  const seconds = await cpu(async () => {
    for (const fact of given) fired += (await others.run(fact)).events.length;
  });
  console.log(`json-rules-engine, ${rules} rules: ${rate(events.length, seconds)} (${fired} fired)`);
  return events.length / seconds;
}

/** 24 hours of 20 sensors, a message every 100 ms of one of them, from a file of JSON lines. */
async function day(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rules-bench-"));
  const path = join(folder, "day.jsonl");
  const lines = traffic(864_000, 100_000).map((event) => JSON.stringify(event));
  await writeFile(path, `${lines.join("\n")}\n`);
  const running = engine(compile(ruleSet(10)));
  let alerts = 0;
  const began = performance.now();
  const seconds = await cpu(async () => {
    for await (const input of traceFile(path)) alerts += running.push(input).length;
    alerts += running.push({ kind: "end" }).length;
  });
  const wall = ((performance.now() - began) / 1e3).toFixed(1);
  console.log(
    `24 hours of 20 sensors, 864,000 messages from a file, 10 rules: ${seconds.toFixed(1)} s CPU, ${wall} s (${alerts} alert messages)`,
  );
  await rm(folder, { recursive: true });
}

for (const rules of [10, 1_000]) allocation(rules);
const events = traffic(count, 1_000);
const inputs = events.map((event): Input => ({ kind: "event", event }));
for (const rules of [10, 1_000]) {
  const own = await ours(inputs, rules);
  const few = events.slice(0, 20_000 / rules);
  const others = [await cel(few, rules), await jsonRules(few, rules)];
  console.log(`${rules} rules: ${others.map((other) => `${Math.round(own / other)} times`).join(", ")} as fast`);
}
console.log(`10,000 rules compiled in ${(await cpu(() => compile(ruleSet(10_000)))).toFixed(2)} s CPU`);
await day();
