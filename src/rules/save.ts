import type { Alert } from "../core/alert.js";
import type { Board } from "./board.js";
import { Engine, type EngineOptions } from "./engine.js";
import type { Lasting } from "./follow.js";
import type { Compiled, CompiledRule } from "./program.js";
import { ringOf, timesOf } from "./ring.js";
import type { RuleState, State } from "./state.js";
import { Watermark } from "./watermark.js";
import { anySensor } from "./world.js";

/** An engine before its first event. */
export function engine(compiled: Compiled, options: EngineOptions = {}): Engine {
  return new Engine(compiled, options);
}

/** The engine's whole state as plain data. */
export function save(engine: Engine): State {
  const { compiled, followed, cells, dropped, node, seq } = engine.board;
  const signals = compiled.slots.map(({ sensor, concept }, slot) => {
    const { open, ended } = followed[slot]!;
    const copy = (all: readonly Lasting[]) => all.map((each) => ({ ...each }));
    return [`${sensor}.${concept}`, { open: copy(open), ended: copy(ended), score: cells.scores[slot]! }] as const;
  });
  return {
    v: 1,
    node,
    start: engine.start,
    earliest: engine.earliest,
    through: engine.through,
    clock: engine.clock,
    seq,
    dropped: { ...dropped },
    watermark: engine.watermark.save(),
    pending: engine.pending.list(),
    signals: Object.fromEntries(signals),
    rules: Object.fromEntries(compiled.rules.map((rule, index) => [rule.rule.id, saveRule(engine.board, rule, index)])),
  };
}

function saveRule({ cells, deadlines, progress }: Board, rule: CompiledRule, index: number): RuleState {
  const { since, began, alert } = progress[index]!;
  const due = deadlines.of(index);
  return {
    text: rule.text,
    values: [...cells.values.subarray(rule.first, rule.last + 1)],
    memory: [...cells.memory.subarray(rule.first, rule.last + 1)],
    rings: rule.counts.map((ring) => timesOf(cells.rings[ring]!)),
    due: Number.isFinite(due) ? due : null,
    since,
    began,
    alert,
  };
}

/**
 * The engine that goes on from a state. Rules that read as they did keep what they remember, also where others were
 * added, changed or removed; the trace of a new or changed rule starts at the next time to be evaluated.
 */
export function restore(compiled: Compiled, state: State, options: Omit<EngineOptions, "start"> = {}): Engine {
  const next = engine(compiled, { ...options, node: state.node });
  next.start = state.start;
  next.earliest = state.earliest;
  next.through = state.through;
  next.clock = state.clock;
  next.board.seq = state.seq;
  Object.assign(next.dropped, state.dropped);
  next.watermark = new Watermark(next.patience, state.watermark);
  restoreSignals(next.board, state);
  for (const message of state.pending) next.pending.add(message);
  for (const [index, rule] of compiled.rules.entries()) {
    const known = Object.hasOwn(state.rules, rule.rule.id) ? state.rules[rule.rule.id] : undefined;
    if (known?.text === rule.text) restoreRule(next.board, rule, { index, known });
    else if (state.start !== null) next.board.deadlines.set(index, state.through);
  }
  return next;
}

function restoreRule({ cells, deadlines, progress }: Board, rule: CompiledRule, { index, known }: Known): void {
  cells.values.set(known.values, rule.first);
  cells.memory.set(known.memory, rule.first);
  for (const [place, ring] of rule.counts.entries()) Object.assign(cells.rings[ring]!, ringOf(known.rings[place]!));
  deadlines.set(index, known.due ?? Number.POSITIVE_INFINITY);
  Object.assign(progress[index]!, { since: known.since, began: known.began, alert: known.alert });
}

interface Known {
  readonly index: number;
  readonly known: RuleState;
}

function restoreSignals({ compiled, followed, cells }: Board, { signals }: State): void {
  for (const [slot, { sensor, concept }] of compiled.slots.entries()) {
    const name = `${sensor}.${concept}`;
    const known = Object.hasOwn(signals, name) ? signals[name] : undefined;
    // `any` was not followed before: what lasts now is known from the signals of the sensors.
    const others = Object.entries(signals).filter(([each]) => each.endsWith(`.${concept}`));
    const open = known?.open ?? (sensor === anySensor ? others.flatMap(([, each]) => each.open) : []);
    followed[slot]!.open = open.map((each) => ({ ...each }));
    followed[slot]!.ended = (known?.ended ?? []).map((each) => ({ ...each }));
    cells.on[slot] = open.length > 0 ? 1 : 0;
    cells.scores[slot] = known?.score ?? Math.max(0, ...open.map(({ score }) => score));
  }
}

/**
 * Exchanges the rules of a running engine: unchanged rules keep what they remember. Every begin has its end: alerts of
 * rules that were removed or read differently end at the time up to which everything is evaluated.
 */
export function reload(running: Engine, compiled: Compiled): { engine: Engine; alerts: readonly Alert[] } {
  const { board, through, patience } = running;
  const kept = new Map(compiled.rules.map(({ rule, text }) => [rule.id, text]));
  board.close(through, ({ rule, text }) => kept.get(rule.id) !== text);
  const alerts = board.hand();
  return { engine: restore(compiled, save(running), patience), alerts };
}
