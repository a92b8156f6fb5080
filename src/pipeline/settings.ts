import type { Config } from "../config.js";
import type { Channel } from "../core/channel.js";
import { isSenseError } from "../core/errors.js";
import type { Log } from "../core/log.js";
import type { Bundle } from "../encoder/bundle.js";
import { compile } from "../rules/compile.js";
import { refuseActions } from "./actions.js";
import { conceptsBySensor, worldOf } from "./concepts.js";
import type { ExampleFolders } from "./examples.js";
import type { Order } from "./news.js";

type Changeable = Pick<Config, "concepts" | "rules">;

interface SettingsParts {
  readonly bundle: Bundle;
  /** Where examples of concepts are found, and their vectors kept. */
  readonly folders: ExampleFolders;
  readonly orders: Pick<Channel<Order>, "put">;
  /** Whether rules may start a calibration. */
  readonly calibrates: boolean;
}

/** Concepts and rules of a running node: a command or a changed file exchanges them. What does not check changes nothing. */
export class Settings implements Changeable {
  concepts: Config["concepts"];
  rules: Config["rules"];
  readonly sensors: Config["sensors"];
  readonly fused: Config["fused"];
  readonly #bundle: Bundle;
  readonly #folders: ExampleFolders;
  readonly #orders: Pick<Channel<Order>, "put">;
  readonly #calibrates: boolean;

  constructor({ concepts, rules, sensors, fused }: Config, { bundle, folders, orders, calibrates }: SettingsParts) {
    this.concepts = concepts;
    this.rules = rules;
    this.sensors = sensors;
    this.fused = fused;
    this.#bundle = bundle;
    this.#folders = folders;
    this.#orders = orders;
    this.#calibrates = calibrates;
  }

  /** Exchanges what differs. Throws `BAD_CONFIG`, `MODALITY_UNSUPPORTED`, `RULE_INVALID`; a rule that names a concept which goes away refuses the change. */
  async use({ concepts = this.concepts, rules = this.rules }: Partial<Changeable>): Promise<void> {
    const { sensors, fused } = this;
    refuseActions({ sensors, rules }, this.#calibrates);
    const encoded = await conceptsBySensor({ sensors, fused, concepts }, this.#bundle, this.#folders);
    compile(rules, worldOf(encoded));
    const sameConcepts = concepts === this.concepts || JSON.stringify(concepts) === JSON.stringify(this.concepts);
    Object.assign(this, { concepts, rules });
    await this.#order((judge) => (sameConcepts ? judge.useRules(rules) : judge.useConcepts(encoded, rules)));
  }

  /** Follows a file of which each change is a whole configuration; of one that does not check, nothing is taken. */
  async follow(changes: AsyncIterable<Config>, log: Log): Promise<void> {
    for await (const { concepts, rules } of changes) {
      try {
        await this.use({ concepts, rules });
        log.info(
          { concepts: Object.keys(concepts).length, rules: Object.keys(rules).length },
          "configuration reloaded",
        );
      } catch (error) {
        if (!isSenseError(error)) throw error;
        log.warn({ code: error.code, why: error.message, hint: error.hint }, "the changed configuration is not used");
      }
    }
  }

  #order(work: Order["work"]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#orders.put({ kind: "order", work, settle: (error) => (error === undefined ? resolve() : reject(error)) });
    });
  }
}
