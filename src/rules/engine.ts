import type { Alert } from "../core/alert.js";
import type { Event } from "../core/event.js";
import { type Micros, s } from "../core/time.js";
import { alertId, because, valuesOf } from "./alert.js";
import { Deadlines } from "./deadlines.js";
import { type Cells, evaluate } from "./evaluate.js";
import { begin, end, type Followed, type Outcome, scoreOf, update } from "./follow.js";
import type { Input } from "./input.js";
import { limits } from "./limits.js";
import { type Message, Pending } from "./pending.js";
import type { Compiled } from "./program.js";
import { Router } from "./router.js";
import type { Dropped, OpenAlert } from "./state.js";
import { type Patience, Watermark } from "./watermark.js";

export interface EngineOptions extends Partial<Patience> {
  /** Named in alerts; without it, the node of the first event. */
  readonly node?: string | undefined;
  /** Start of the trace; without it, its first event. */
  readonly start?: Micros | undefined;
}

/** One rule's condition and its alert. */
export interface Progress {
  since: number | null;
  began: number | null;
  alert: OpenAlert | null;
}

export const defaultPatience: Patience = { lateness: s(2), idle: s(5) };

/**
 * The incremental evaluator, with its state inside: `step` (src/rules/step.ts) is the same as a pure function. A message
 * costs time only for the rules that name its signal. Memory is bounded by src/rules/limits.ts.
 */
export class Engine {
  readonly patience: Patience;
  readonly dropped: Dropped = { late: 0, duplicate: 0, orphan: 0, superseded: 0, ahead: 0, hurried: 0 };
  node: string;
  start: number | null;
  earliest: number | null = null;
  through = 0;
  clock: number | null = null;
  seq = 0;
  watermark: Watermark;
  readonly pending: Pending;
  readonly followed: Followed[];
  readonly cells: Cells;
  readonly deadlines: Deadlines;
  readonly progress: Progress[];
  private readonly router: Router;
  /** Rules to evaluate at the present time, and whether each is among them. */
  private readonly touched: number[] = [];
  private readonly isTouched: Uint8Array;

  constructor(
    readonly compiled: Compiled,
    cells: Cells,
    { node = "", start, lateness = defaultPatience.lateness, idle = defaultPatience.idle }: EngineOptions = {},
  ) {
    const { rules, slots } = compiled;
    this.patience = { lateness, idle };
    this.node = node;
    this.start = start ?? null;
    this.cells = cells;
    this.watermark = new Watermark(this.patience);
    this.pending = new Pending();
    this.followed = slots.map(() => ({ open: [], ended: [] }));
    this.deadlines = new Deadlines(rules.length);
    this.progress = rules.map(() => ({ since: null, began: null, alert: null }));
    this.router = new Router(slots);
    this.isTouched = new Uint8Array(rules.length);
    if (start !== undefined) this.begin(start);
  }

  /** Tells the engine one thing; returns the alert messages that are settled by it, in order of time. */
  push(input: Input): Alert[] {
    const alerts: Alert[] = [];
    switch (input.kind) {
      case "event":
        this.hear(input.event, alerts);
        break;
      case "status":
        this.wait(input, alerts);
        break;
      case "time":
        if (input.sensor === undefined) this.clock = Math.max(this.clock ?? 0, input.at);
        this.evaluateBefore(
          input.sensor === undefined ? this.watermark.tick(input.at) : this.watermark.hear(input.sensor, input.at),
          alerts,
        );
        break;
      case "end":
        this.evaluateBefore(Number.POSITIVE_INFINITY, alerts);
        break;
      case "stop":
        this.evaluateBefore(input.at + 1, alerts);
        this.close(input.at, alerts);
        break;
      default:
        input satisfies never;
    }
    return alerts;
  }

  /** Evaluates every time before `to` that has something to change, in order. */
  evaluateBefore(to: number, alerts: Alert[]): void {
    if (this.start === null && this.earliest !== null && this.earliest < to) this.begin(this.earliest);
    for (;;) {
      const time = Math.min(this.pending.next, this.deadlines.next);
      if (!(time < to)) break;
      this.evaluateAt(time, alerts);
      this.through = time + 1;
    }
    if (Number.isFinite(to) && to > this.through) this.through = to;
  }

  private hear(event: Event, alerts: Alert[]): void {
    if (this.clock !== null && event.at > this.clock + limits.ahead) {
      this.dropped.ahead++;
      return;
    }
    if (this.node === "") this.node = event.node;
    this.wait(event, alerts);
    this.evaluateBefore(this.watermark.hear(event.sensor, event.at as Micros), alerts);
  }

  private wait(message: Message, alerts: Alert[]): void {
    if (message.at < this.through) {
      this.dropped.late++;
      return;
    }
    if (this.start === null && (this.earliest === null || message.at < this.earliest)) this.earliest = message.at;
    if (this.router.slots(message).length === 0) return;
    this.pending.add(message);
    if (this.pending.size <= limits.pending) return;
    this.dropped.hurried++;
    this.evaluateBefore(this.pending.next + 1, alerts);
  }

  /** The trace starts: a signal that is true now begins now. */
  private begin(start: number): void {
    this.start = start;
    this.through = Math.max(this.through, start);
    for (let rule = 0; rule < this.progress.length; rule++) this.deadlines.set(rule, start);
  }

  private evaluateAt(time: number, alerts: Alert[]): void {
    while (this.pending.next === time) this.apply(this.pending.take());
    while (this.deadlines.next === time) {
      this.touch(this.deadlines.rule);
      this.deadlines.set(this.deadlines.rule, Number.POSITIVE_INFINITY);
    }
    const before = alerts.length;
    for (const rule of this.touched) {
      this.isTouched[rule] = 0;
      this.judge(rule, time, alerts);
    }
    this.touched.length = 0;
    if (alerts.length > before) this.settle(alerts, before);
  }

  private touch(rule: number): void {
    if (this.isTouched[rule] === 1) return;
    this.isTouched[rule] = 1;
    this.touched.push(rule);
  }

  private apply(message: Message): void {
    for (const index of this.router.slots(message)) {
      const slot = this.compiled.slots[index]!;
      const followed = this.followed[index]!;
      const outcome = applyTo(followed, slot, message);
      if (outcome !== "taken") this.dropped[outcome]++;
      const on = followed.open.length > 0 ? 1 : 0;
      if (on !== this.cells.on[index]) {
        this.cells.on[index] = on;
        for (const rule of slot.onTruth) this.touch(rule);
      }
      if (slot.onScore.length === 0) continue;
      const score = scoreOf(followed, slot);
      if (score === this.cells.scores[index]) continue;
      this.cells.scores[index] = score;
      for (const rule of slot.onScore) this.touch(rule);
    }
  }

  /** Evaluates one rule and begins or ends its alert. */
  private judge(index: number, time: number, alerts: Alert[]): void {
    const rule = this.compiled.rules[index]!;
    this.deadlines.set(index, evaluate(this.compiled, this.cells, rule, time));
    const progress = this.progress[index]!;
    const holds = this.cells.values[rule.last] === 1;
    if (holds === (progress.since !== null)) return;
    if (holds) {
      progress.since = time;
      if (progress.began !== null && time < progress.began + rule.rule.cooldown) return;
      progress.began = time;
      const values = valuesOf(rule, this.cells);
      const causes = because(rule, this.followed, time);
      progress.alert = { id: alertId(this.name, rule.rule.id, time), because: causes, values };
      alerts.push(this.message(index, "begin", time, values));
    } else {
      const { since, alert } = progress;
      // True at one time point only: an instant, whose begin and end have the same time.
      const instant = since === time - 1;
      if (alert)
        alerts.push(
          this.message(index, "end", instant ? since : time, instant ? alert.values : valuesOf(rule, this.cells)),
        );
      progress.since = null;
      progress.alert = null;
    }
  }

  private message(index: number, phase: Alert["phase"], at: number, values: Alert["values"]): Alert {
    const { id, because: causes } = this.progress[index]!.alert!;
    const rule = this.compiled.rules[index]!.rule.id;
    return { v: 1, id, seq: index, node: this.name, rule, phase, at, because: [...causes], values };
  }

  private get name(): string {
    return this.node === "" ? "local" : this.node;
  }

  /** Orders the messages of one evaluation by time, then by rule (their `seq` up to here), and numbers them. */
  private settle(alerts: Alert[], from: number): void {
    const fresh = alerts.splice(from).sort((a, b) => a.at - b.at || a.seq - b.seq);
    for (const alert of fresh) alerts.push({ ...alert, seq: this.seq++ });
  }

  private close(at: number, alerts: Alert[]): void {
    const before = alerts.length;
    for (const [index, progress] of this.progress.entries()) {
      if (!progress.alert) continue;
      alerts.push(this.message(index, "end", at, valuesOf(this.compiled.rules[index]!, this.cells)));
      progress.alert = null;
    }
    this.settle(alerts, before);
  }
}

function applyTo(followed: Followed, slot: Compiled["slots"][number], message: Message): Outcome {
  if ("kind" in message) {
    const told = { id: message.sensor, sensor: message.sensor, at: message.at, score: 0 };
    const lost = message.state !== "ok";
    const outcome = lost ? begin(followed, slot, told) : end(followed, slot, told);
    // A status is repeated at will: what it repeats is no loss.
    return outcome === "superseded" ? outcome : "taken";
  }
  switch (message.phase) {
    case "begin":
      return begin(followed, slot, message);
    case "update":
      return update(followed, message);
    case "end":
      return end(followed, slot, message);
    default:
      return message.phase satisfies never;
  }
}
