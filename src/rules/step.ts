import type { Alert } from "../core/alert.js";
import type { EngineOptions } from "./engine.js";
import type { Input } from "./input.js";
import type { Compiled } from "./program.js";
import { engine, restore, save } from "./save.js";
import type { State } from "./state.js";

/** What a pure step needs beside the state: the program and how patient it is. */
export interface Machine {
  readonly compiled: Compiled;
  readonly options?: EngineOptions | undefined;
}

/** The state before the first event. */
export const initial = ({ compiled, options }: Machine): State => save(engine(compiled, options));

/**
 * One step of the rules, pure: the state after an input, and the alert messages it settles. `Engine` does the same in
 * place, for about a thousandth of the time: a step copies the whole state.
 */
export function step({ compiled, options }: Machine, state: State, input: Input): [State, readonly Alert[]] {
  const running = restore(compiled, state, options);
  const alerts = running.push(input);
  return [save(running), alerts];
}

/** The next time at which something can change with no event: a deadline as data. Null if there is none. */
export function deadline({ rules, start, earliest }: State): number | null {
  if (start === null) return earliest;
  const dues = Object.values(rules).flatMap(({ due }) => (due === null ? [] : [due]));
  return dues.length === 0 ? null : Math.min(...dues);
}
