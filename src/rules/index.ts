export {
  always,
  and,
  begin,
  type Comparable,
  count,
  end,
  language,
  lost,
  not,
  on,
  onAny,
  once,
  or,
  RuleBuilder,
  rule,
  score,
  sequence,
  since,
} from "./build.js";
export { compile } from "./compile.js";
export { Engine, type EngineOptions } from "./engine.js";
export type { Input, SensorState, StatusInput } from "./input.js";
export { parse } from "./parse.js";
export { print } from "./print.js";
export type { Compiled } from "./program.js";
export type { Rule } from "./rule.js";
export { alerts } from "./run.js";
export { engine, reload, restore, save } from "./save.js";
export { Action, Rules, RuleText } from "./schema.js";
export type { State } from "./state.js";
export { deadline, initial, type Machine, step } from "./step.js";
export type { Quantity, Signal, Truth } from "./tree.js";
export type { World } from "./world.js";
