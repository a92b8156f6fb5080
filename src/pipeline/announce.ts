import type { Config } from "../config.js";
import type { Publisher } from "../publish/publisher.js";
import { describeConcept } from "../space/schema.js";
import type { Node } from "./node.js";

type Told = Pick<Config, "concepts" | "rules">;

/** Tells Home Assistant which concepts and rules there are, whenever they have changed. */
export class Announce {
  readonly #publisher: Pick<Publisher, "announce">;
  readonly #node: Pick<Node, "names">;
  readonly #settings: Told;
  #world: Node["names"]["world"] | undefined;
  #rules: Told["rules"] | undefined;

  constructor(publisher: Pick<Publisher, "announce">, node: Pick<Node, "names">, settings: Told) {
    this.#publisher = publisher;
    this.#node = node;
    this.#settings = settings;
  }

  /** Costs nothing where nothing has changed: call it after each message. */
  refresh(): void {
    const { world } = this.#node.names;
    const { concepts, rules } = this.#settings;
    if (world === this.#world && rules === this.#rules) return;
    this.#world = world;
    this.#rules = rules;
    const sensors = Object.entries(world).map(([sensor, ids]) => [sensor, ids.map((id) => described(id, concepts))]);
    this.#publisher.announce({ sensors: Object.fromEntries(sensors), rules: Object.keys(rules) });
  }
}

function described(id: string, concepts: Told["concepts"]) {
  const concept = concepts[id];
  return concept === undefined ? { id } : { id, definition: describeConcept(concept) };
}
