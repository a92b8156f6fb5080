import type { Alert } from "../core/alert.js";
import { alertId, because, valuesOf } from "./alert.js";
import { Deadlines } from "./deadlines.js";
import { type Cells, evaluate, freshCells } from "./evaluate.js";
import { type Followed, scoreOf, tell } from "./follow.js";
import type { Message } from "./pending.js";
import type { Compiled, CompiledRule } from "./program.js";
import { Router } from "./router.js";
import type { Dropped, OpenAlert } from "./state.js";

/** One rule's condition and its alert. */
export interface Progress {
  /** Since when the condition holds. */
  since: number | null;
  /** When the last alert began that was not suppressed. */
  began: number | null;
  alert: OpenAlert | null;
}

/** What holds at the present time: signals, rules and alerts. A message costs time only for the rules that name its signal. */
export class Board {
  readonly dropped: Dropped = { late: 0, duplicate: 0, orphan: 0, superseded: 0, ahead: 0, hurried: 0 };
  readonly followed: Followed[];
  readonly cells: Cells;
  readonly deadlines: Deadlines;
  readonly progress: Progress[];
  /** Number of the next alert message. */
  seq = 0;
  /** Alert messages that were not handed out yet. */
  settled: Alert[] = [];
  private readonly router: Router;
  /** Rules to evaluate at the present time, and whether each is among them. */
  private readonly touched: number[] = [];
  private readonly isTouched: Uint8Array;

  constructor(
    readonly compiled: Compiled,
    public node: string,
  ) {
    this.followed = compiled.slots.map(() => ({ open: [], ended: [] }));
    this.cells = freshCells(compiled);
    this.deadlines = new Deadlines(compiled.rules.length);
    this.progress = compiled.rules.map(() => ({ since: null, began: null, alert: null }));
    this.router = new Router(compiled.slots);
    this.isTouched = new Uint8Array(compiled.rules.length);
  }

  /** The next time at which a rule can change with no message; Infinity if there is none. */
  get next(): number {
    return this.deadlines.next;
  }

  /** True if the message says something about a signal that is followed. */
  follows(message: Message): boolean {
    return this.router.slots(message).length > 0;
  }

  /** Every rule is evaluated at the start of the trace. */
  start(time: number): void {
    for (let rule = 0; rule < this.progress.length; rule++) this.deadlines.set(rule, time);
  }

  /** Changes the signals that a message is about; its time is evaluated when all messages of that time are applied. */
  apply(message: Message): void {
    for (const index of this.router.slots(message)) {
      const slot = this.compiled.slots[index]!;
      const followed = this.followed[index]!;
      const outcome = tell(followed, slot, message);
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

  /** Evaluates the rules that a message has touched or that are due, once. */
  evaluate(time: number): void {
    while (this.deadlines.next === time) {
      this.touch(this.deadlines.rule);
      this.deadlines.set(this.deadlines.rule, Number.POSITIVE_INFINITY);
    }
    const before = this.settled.length;
    for (const rule of this.touched) {
      this.isTouched[rule] = 0;
      this.judge(rule, time);
    }
    this.touched.length = 0;
    if (this.settled.length > before) this.settle(before);
  }

  /** Ends every alert, or those of some rules. */
  close(at: number, of: (rule: CompiledRule) => boolean = () => true): void {
    const before = this.settled.length;
    for (const [rule, progress] of this.progress.entries()) {
      if (!of(this.compiled.rules[rule]!)) continue;
      if (progress.alert) this.say(rule, "end", { at, values: valuesOf(this.compiled.rules[rule]!, this.cells) });
      progress.alert = null;
    }
    this.settle(before);
  }

  /** The alert messages since the last call. */
  hand(): readonly Alert[] {
    const alerts = this.settled;
    this.settled = [];
    return alerts;
  }

  private touch(rule: number): void {
    if (this.isTouched[rule] === 1) return;
    this.isTouched[rule] = 1;
    this.touched.push(rule);
  }

  private judge(index: number, time: number): void {
    const compiled = this.compiled.rules[index]!;
    this.deadlines.set(index, evaluate(this.compiled, this.cells, compiled, time));
    const holds = this.cells.values[compiled.last] === 1;
    const { since } = this.progress[index]!;
    if (holds && since === null) this.rise(index, time);
    if (!holds && since !== null) this.fall(index, since, time);
  }

  private rise(index: number, time: number): void {
    const compiled = this.compiled.rules[index]!;
    const progress = this.progress[index]!;
    const { id, cooldown } = compiled.rule;
    progress.since = time;
    if (progress.began !== null && time < progress.began + cooldown) return;
    progress.began = time;
    const values = valuesOf(compiled, this.cells);
    progress.alert = { id: alertId(this.name, id, time), because: because(compiled, this.followed, time), values };
    this.say(index, "begin", { at: time, values });
  }

  private fall(index: number, since: number, time: number): void {
    const progress = this.progress[index]!;
    const { alert } = progress;
    // True at one time point only: an instant, whose begin and end have the same time.
    if (alert && since === time - 1) this.say(index, "end", { at: since, values: alert.values });
    else if (alert) this.say(index, "end", { at: time, values: valuesOf(this.compiled.rules[index]!, this.cells) });
    progress.since = null;
    progress.alert = null;
  }

  /** Adds a message about a rule's alert; up to `settle` its `seq` is the rule's place. */
  private say(index: number, phase: Alert["phase"], { at, values }: Pick<Alert, "at" | "values">): void {
    const { id, because: causes } = this.progress[index]!.alert!;
    const rule = this.compiled.rules[index]!.rule.id;
    this.settled.push({ v: 1, id, seq: index, node: this.name, rule, phase, at, because: [...causes], values });
  }

  /** Orders the messages of one evaluation by time, then by rule, and numbers them. */
  private settle(from: number): void {
    const fresh = this.settled.splice(from).sort((a, b) => a.at - b.at || a.seq - b.seq);
    for (const alert of fresh) this.settled.push({ ...alert, seq: this.seq++ });
  }

  private get name(): string {
    return this.node === "" ? "local" : this.node;
  }
}
