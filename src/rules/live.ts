import type { Alert } from "../core/alert.js";
import { SenseError } from "../core/errors.js";
import { nearest } from "../core/suggest.js";
import { compile } from "./compile.js";
import type { Engine, EngineOptions } from "./engine.js";
import type { Input } from "./input.js";
import type { CompiledRule } from "./program.js";
import { engine, reload } from "./save.js";
import type { Rules, RuleText } from "./schema.js";
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

  /** The rules as they were written. */
  get rules(): Rules {
    return this.texts;
  }

  get compiled(): readonly CompiledRule[] {
    return this.running.board.compiled.rules;
  }

  /** The engine of the rules as they are now. */
  get engine(): Engine {
    return this.running;
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

  /** Adds or changes one rule. Throws `RULE_INVALID` and then changes nothing. */
  set(id: string, text: RuleText): readonly Alert[] {
    return this.replace({ ...this.texts, [id]: text });
  }

  /** Removes one rule. Throws `BAD_ARGUMENT` if there is none of that id. */
  remove(id: string): readonly Alert[] {
    if (!Object.hasOwn(this.texts, id)) {
      const near = nearest(id, Object.keys(this.texts));
      throw new SenseError("BAD_ARGUMENT", `there is no rule "${id}"`, {
        hint: near ? `Did you mean "${near}"?` : `Rules: ${Object.keys(this.texts).join(", ") || "none"}.`,
      });
    }
    return this.replace(Object.fromEntries(Object.entries(this.texts).filter(([other]) => other !== id)));
  }
}
