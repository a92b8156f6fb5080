import type { Alert } from "../core/alert.js";
import { compile } from "./compile.js";
import type { Engine, EngineOptions } from "./engine.js";
import type { Input } from "./input.js";
import { engine, reload } from "./save.js";
import type { Action, Rules } from "./schema.js";
import type { Dropped } from "./state.js";
import type { World } from "./world.js";

export interface LiveOptions extends EngineOptions {
  readonly world: World;
}

/** Rules that can be exchanged while they run, by a file that changed or by a command. */
export class LiveRules {
  private running: Engine;

  /** Throws `RULE_INVALID`. */
  constructor(
    private texts: Rules,
    private readonly options: LiveOptions,
  ) {
    this.running = engine(compile(texts, options.world), options);
  }

  /** Messages that changed nothing, by why. */
  get dropped(): Readonly<Dropped> {
    return this.running.dropped;
  }

  /** What a rule does besides its alerts. */
  actionsOf(rule: string): readonly Action[] {
    return (Object.hasOwn(this.texts, rule) && this.texts[rule]?.actions) || [];
  }

  push(input: Input): readonly Alert[] {
    return this.running.push(input);
  }

  /**
   * Exchanges all rules; unchanged ones keep what they remember. Returns the ends of alerts whose rule is gone. Throws
   * `RULE_INVALID` and then changes nothing.
   */
  replace(texts: Rules): readonly Alert[] {
    const { engine: next, alerts } = reload(this.running, compile(texts, this.options.world));
    this.running = next;
    this.texts = texts;
    return alerts;
  }
}
