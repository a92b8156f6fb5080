import type { Alert } from "../../src/core/alert.js";
import type { Event } from "../../src/core/event.js";
import type { Input, StatusInput } from "../../src/rules/input.js";
import { print } from "../../src/rules/print.js";
import { condition, type Rule } from "../../src/rules/rule.js";
import type { Expression, Quantity, Signal, Truth } from "../../src/rules/tree.js";
import type { Patience } from "../../src/rules/watermark.js";

/**
 * The definitions of docs/rules.md, followed word by word over a whole trace, at every single microsecond of it: the
 * oracle of the incremental engine. It shares no code with it but the tree and the printer.
 */
export function naive(rules: readonly Rule[], inputs: readonly Input[], patience: Patience): Omit<Alert, "seq">[] {
  const messages = accept(inputs, patience);
  if (messages.length === 0) return [];
  const start = Math.min(...messages.map(({ at }) => at));
  const last =
    Math.max(...messages.map(({ at }) => at)) + 2 + Math.max(...rules.map((rule) => windows(condition(rule))));
  const trace: Trace = { start, last, events: eventsOf(messages), statuses: messages.filter(isStatus) };
  const found = rules.flatMap((rule, index) => alertsOf(rule, trace, "n").map((each) => ({ ...each, index })));
  found.sort((a, b) => a.alert.at - b.alert.at || a.settled - b.settled || a.index - b.index);
  return found.map(({ alert }) => alert);
}

interface Lasting {
  readonly id: string;
  readonly sensor: string;
  readonly concept: string;
  readonly from: number;
  readonly to: number;
  readonly messages: readonly Event[];
}

interface Trace {
  readonly start: number;
  readonly last: number;
  readonly events: readonly Lasting[];
  readonly statuses: readonly StatusInput[];
}

const isStatus = (message: Event | StatusInput): message is StatusInput => "kind" in message;

/** What comes in time: at its coming, its time is not below the watermark of what came before. */
function accept(inputs: readonly Input[], { lateness, idle }: Patience): (Event | StatusInput)[] {
  const newest = new Map<string, number>();
  let now = -1;
  let mark = Number.NEGATIVE_INFINITY;
  return inputs.flatMap((input) => {
    if (input.kind === "end" || input.kind === "stop") return [];
    const { at } = input.kind === "event" ? input.event : input;
    const taken = at >= mark && input.kind !== "time" ? [input.kind === "event" ? input.event : input] : [];
    if (input.kind === "status") return taken;
    now = Math.max(now, at);
    const sensor = input.kind === "event" ? input.event.sensor : input.sensor;
    if (sensor !== undefined) newest.set(sensor, Math.max(at, newest.get(sensor) ?? -1));
    const holding = [...newest.values()].filter((time) => now - time < idle);
    mark = Math.max(mark, (holding.length > 0 ? Math.min(...holding) : now) - lateness);
    return taken;
  });
}

/** An event is true from its begin to its end; without an end, for ever. */
function eventsOf(messages: readonly (Event | StatusInput)[]): Lasting[] {
  const events = messages.filter((message): message is Event => !isStatus(message));
  const ids = new Set(events.map(({ sensor, id }) => `${sensor} ${id}`));
  return [...ids].flatMap((name) => {
    const own = events.filter(({ sensor, id }) => `${sensor} ${id}` === name);
    const begin = own.find(({ phase }) => phase === "begin");
    if (!begin) return [];
    const end = own.find(({ phase }) => phase === "end");
    const { id, sensor, concept, at: from } = begin;
    return [{ id, sensor, concept, from, to: end?.at ?? Number.POSITIVE_INFINITY, messages: own }];
  });
}

const windows = (tree: Expression): number =>
  ("within" in tree ? tree.within : 0) + inner(tree).reduce((sum, part) => sum + windows(part) + 1, 0);

const inner = (tree: Expression): readonly Expression[] =>
  Object.values(tree)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter((value): value is Expression => typeof value === "object");

const names = (signal: Signal, sensor: string): boolean => signal.sensor === "any" || signal.sensor === sensor;

const isOf = (signal: Signal, event: Lasting): boolean =>
  names(signal, event.sensor) && signal.concept === event.concept;

/** Truth or number of every node at every time; index 0 is the start of the trace. */
function signalOver(trace: Trace, times: readonly number[], signal: Signal): boolean[] {
  if (signal.concept === "lost") return times.map((t) => isLost(trace, signal, t));
  const events = trace.events.filter((event) => isOf(signal, event));
  return times.map((t) => events.some(({ from, to }) => from <= t && t < to));
}

function isLost({ statuses }: Trace, signal: Signal, t: number): boolean {
  const known = statuses.filter(({ sensor, at }) => names(signal, sensor) && at <= t);
  const sensors = new Set(known.map(({ sensor }) => sensor));
  return [...sensors].some((name) => {
    const own = known.filter(({ sensor }) => sensor === name);
    const time = Math.max(...own.map(({ at }) => at));
    return own.filter(({ at }) => at === time).at(-1)!.state !== "ok";
  });
}

const rank = { begin: 0, update: 1, end: 2 } as const;

function scoreAt({ events }: Trace, signal: Signal, t: number): number {
  const lasting = events.filter((event) => isOf(signal, event) && event.from <= t && t < event.to);
  const newest = lasting.map(
    ({ from, messages }) =>
      messages
        .filter(({ at, phase }) => at <= t && at >= from && phase !== "end")
        .sort((a, b) => a.at - b.at || rank[a.phase] - rank[b.phase] || a.seq - b.seq)
        .at(-1)!,
  );
  if (signal.sensor === "any") return Math.max(0, ...newest.map(({ score }) => score));
  newest.sort((a, b) => a.at - b.at || rank[a.phase] - rank[b.phase] || a.seq - b.seq);
  return newest.at(-1)?.score ?? 0;
}

type Over<T> = (tree: Truth | Quantity) => readonly T[];

function over(trace: Trace): { truth: Over<boolean>; number: Over<number> } {
  const times = Array.from({ length: trace.last - trace.start + 1 }, (_, i) => trace.start + i);
  const indices = times.map((_, i) => i);

  const begins = (a: readonly boolean[]) => indices.map((i) => a[i]! && (i === 0 || !a[i - 1]!));
  const some = (from: number, to: number, holds: (i: number) => boolean): boolean => {
    for (let i = Math.max(0, from); i <= to; i++) if (holds(i)) return true;
    return false;
  };
  const every = (from: number, to: number, holds: (i: number) => boolean): boolean => !some(from, to, (i) => !holds(i));

  const truth = (tree: Truth | Quantity): readonly boolean[] => {
    switch (tree.op) {
      case "signal":
        return signalOver(trace, times, tree);
      case "not":
        return truth(tree.of).map((value) => !value);
      case "and": {
        const all = tree.of.map(truth);
        return indices.map((i) => all.every((each) => each[i]!));
      }
      case "or": {
        const all = tree.of.map(truth);
        return indices.map((i) => all.some((each) => each[i]!));
      }
      case "since": {
        const [hold, from] = [truth(tree.hold), truth(tree.from)];
        return indices.map((t) => some(0, t, (s) => from[s]! && every(s + 1, t, (u) => hold[u]!)));
      }
      case "once": {
        const of = truth(tree.of);
        return indices.map((t) => some(t - tree.within, t, (s) => of[s]!));
      }
      case "always": {
        const of = truth(tree.of);
        return indices.map((t) => t - tree.within >= 0 && every(t - tree.within, t, (s) => of[s]!));
      }
      case "begin":
        return begins(truth(tree.of));
      case "end": {
        const of = truth(tree.of);
        return indices.map((i) => i > 0 && !of[i]! && of[i - 1]!);
      }
      case "then": {
        const [first, next] = [begins(truth(tree.first)), begins(truth(tree.next))];
        return indices.map((t) => next[t]! && some(t - tree.within, t - 1, (s) => first[s]!));
      }
      case "compare": {
        const [left, right] = [number(tree.left), number(tree.right)];
        return indices.map((i) => compare(left[i]!, tree.sign, right[i]!));
      }
      default:
        throw new Error(`${tree.op} has no truth`);
    }
  };

  const number = (tree: Truth | Quantity): readonly number[] => {
    switch (tree.op) {
      case "number":
        return times.map(() => tree.value);
      case "score":
        return times.map((t) => scoreAt(trace, tree.of, t));
      case "count": {
        const of = begins(truth(tree.of));
        return indices.map((t) => of.filter((begin, s) => begin && s > t - tree.within && s <= t).length);
      }
      default:
        throw new Error(`${tree.op} has no number`);
    }
  };
  return { truth, number };
}

function compare(left: number, sign: string, right: number): boolean {
  if (sign === ">") return left > right;
  if (sign === ">=") return left >= right;
  if (sign === "<") return left < right;
  if (sign === "<=") return left <= right;
  return sign === "==" ? left === right : left !== right;
}

/** What is true in each part of the tree at one time: for `rules explain`. */
export function naiveAt(tree: Truth, inputs: readonly Input[], t: number): boolean {
  const messages = accept(inputs, { lateness: Number.POSITIVE_INFINITY, idle: 1 } as unknown as Patience);
  const start = Math.min(...messages.map(({ at }) => at));
  const trace = { start, last: t, events: eventsOf(messages), statuses: messages.filter(isStatus) };
  return over(trace).truth(tree)[t - start]!;
}

interface Found {
  readonly alert: Omit<Alert, "seq">;
  /** 1 for the end of an instant: it is known one µs later. */
  readonly settled: number;
}

function alertsOf(rule: Rule, trace: Trace, node: string): Found[] {
  const tree = condition(rule);
  const holds = over(trace).truth(tree);
  const found: Found[] = [];
  let lastBegin = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < holds.length; i++) {
    if (!holds[i] || holds[i - 1]) continue;
    const at = trace.start + i;
    if (at - lastBegin < rule.cooldown) continue;
    lastBegin = at;
    const alert = {
      v: 1,
      id: `${node}:${rule.id}:${at}`,
      node,
      rule: rule.id,
      because: becauseOf(tree, trace, at),
    } as const;
    found.push({ alert: { ...alert, phase: "begin", at, values: valuesAt(tree, trace, at) }, settled: 0 });
    const end = holds.indexOf(false, i);
    if (end < 0) continue;
    const instant = end === i + 1;
    const endAt = instant ? at : trace.start + end;
    const values = valuesAt(tree, trace, endAt);
    found.push({ alert: { ...alert, phase: "end", at: endAt, values }, settled: instant ? 1 : 0 });
  }
  return found;
}

function valuesAt(tree: Expression, trace: Trace, at: number): Record<string, number> {
  const compared = (each: Expression): Quantity[] =>
    each.op === "compare" ? [each.left, each.right, ...inner(each).flatMap(compared)] : inner(each).flatMap(compared);
  const quantities = compared(tree).filter(({ op }) => op !== "number");
  return Object.fromEntries(quantities.map((each) => [print(each), over(trace).number(each)[at - trace.start]!]));
}

/** Events of the named signals that are true at `at`, or became true within the windows around the signal. */
function becauseOf(tree: Truth, { events }: Trace, at: number): string[] {
  const causes = new Map<string, number>();
  const walk = (each: Expression, reach: number, below: boolean): void => {
    if (each.op === "signal") {
      for (const event of events.filter((other) => isOf(each, other) && other.from <= at && other.from < other.to)) {
        const isTrue = at < event.to;
        const became = event.from >= at - reach;
        const ended = below && event.to <= at && event.to >= at - reach;
        if (isTrue || became || ended) causes.set(event.id, event.from);
      }
    } else if (each.op === "then") {
      walk(each.first, reach + each.within, below);
      walk(each.next, reach, below);
    } else {
      const window = each.op === "count" ? each.within - 1 : "within" in each ? each.within : 0;
      for (const part of inner(each)) walk(part, reach + window, below || each.op === "end");
    }
  };
  walk(tree, 0, false);
  return [...causes].sort(([a, from], [b, other]) => from - other || (a < b ? -1 : 1)).map(([id]) => id);
}
