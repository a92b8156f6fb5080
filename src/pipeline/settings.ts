import type { Config } from "../config.js";
import type { Channel } from "../core/channel.js";
import { isSenseError, SenseError } from "../core/errors.js";
import type { Log } from "../core/log.js";
import type { Bundle } from "../encoder/bundle.js";
import type { HotBundle } from "../encoder/hot-bundle.js";
import { compile } from "../rules/compile.js";
import { refuseActions } from "./actions.js";
import { conceptsBySensor } from "./concepts.js";
import type { ExampleFolders } from "./examples.js";
import type { Order } from "./news.js";
import { worldOf } from "./world.js";

type Changeable = Pick<Config, "concepts" | "rules">;

interface SettingsParts {
  readonly bundle: HotBundle;
  /** Where examples of concepts are found, and their vectors kept. */
  readonly folders: ExampleFolders;
  readonly orders: Pick<Channel<Order>, "put">;
  /** Whether rules may start a calibration. */
  readonly calibrates: boolean;
  /** The flow stops: nothing obeys any more. */
  readonly signal: AbortSignal;
}

/**
 * Concepts, rules and encoders of a running node: a command, a changed file or a calibration exchanges them, one after the other.
 * What does not check changes nothing.
 */
export class Settings implements Changeable {
  concepts: Config["concepts"];
  rules: Config["rules"];
  readonly sensors: Config["sensors"];
  readonly fused: Config["fused"];
  readonly #bundle: HotBundle;
  readonly #folders: ExampleFolders;
  readonly #orders: Pick<Channel<Order>, "put">;
  readonly #calibrates: boolean;
  readonly #signal: AbortSignal;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ concepts, rules, sensors, fused }: Config, parts: SettingsParts) {
    this.concepts = concepts;
    this.rules = rules;
    this.sensors = sensors;
    this.fused = fused;
    this.#bundle = parts.bundle;
    this.#folders = parts.folders;
    this.#orders = parts.orders;
    this.#calibrates = parts.calibrates;
    this.#signal = parts.signal;
  }

  /** Exchanges what differs; a function is asked when its turn has come, so that it sees what the change before it made. Throws `BAD_CONFIG`, `MODALITY_UNSUPPORTED`, `RULE_INVALID`; a rule that names a concept which goes away refuses the change. */
  use(change: Partial<Changeable> | ((now: Changeable) => Partial<Changeable>)): Promise<void> {
    return this.#inTurn(() => {
      const { concepts = this.concepts, rules = this.rules } = typeof change === "function" ? change(this) : change;
      return this.#use({ concepts, rules });
    });
  }

  async #use({ concepts, rules }: Changeable): Promise<void> {
    const { sensors, fused } = this;
    refuseActions({ sensors, rules }, this.#calibrates);
    const encoded = await conceptsBySensor({ sensors, fused, concepts }, this.#bundle, this.#folders);
    const world = worldOf({ sensors, fused, concepts });
    compile(rules, world);
    const sameConcepts = concepts === this.concepts || JSON.stringify(concepts) === JSON.stringify(this.concepts);
    Object.assign(this, { concepts, rules });
    await this.#order((judge) => (sameConcepts ? judge.useRules(rules) : judge.useConcepts(encoded, { world, rules })));
  }

  /**
   * Puts a bundle of the same space in place, in which a sensor was bound or no longer is, and reads every concept by its encoders'
   * levels from then on. What cannot be put in place is closed. Throws `SPACE_MISMATCH`, and `MODALITY_UNSUPPORTED` where a fused sensor
   * needs an encoder that goes away.
   */
  exchange(next: Bundle, sensor: string): Promise<void> {
    return this.#inTurn(async () => {
      const { sensors, fused, concepts, rules } = this;
      const asked = { sensors, fused, concepts };
      const encoded = await this.#placed(next, sensor, asked);
      await this.#order((judge) => judge.useConcepts(encoded, { world: worldOf(asked), rules }));
    });
  }

  async #placed(next: Bundle, id: string, asked: Pick<Config, "sensors" | "fused" | "concepts">) {
    try {
      const encoded = await conceptsBySensor(asked, next, this.#folders);
      await this.#bundle.exchange(next, { id, modality: asked.sensors[id]!.modality });
      return encoded;
    } catch (error) {
      if (this.#bundle.dir !== next.dir) await next[Symbol.asyncDispose]();
      throw error;
    }
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

  /** Each change begins with what the one before left. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work);
    this.#turn = done;
    return done;
  }

  #order(work: Order["work"]): Promise<void> {
    return new Promise((resolve, reject) => {
      const stopping = (): void =>
        reject(new SenseError("COMMAND_FAILED", "the node is stopping; nothing was changed"));
      if (this.#signal.aborted) return stopping();
      this.#signal.addEventListener("abort", stopping, { once: true });
      this.#orders.put({
        kind: "order",
        work,
        settle: (error) => {
          this.#signal.removeEventListener("abort", stopping);
          error === undefined ? resolve() : reject(error);
        },
      });
    });
  }
}
