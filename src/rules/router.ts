import type { Message } from "./pending.js";
import type { Slot } from "./program.js";
import { anySensor, lostConcept } from "./world.js";

const none: readonly number[] = [];

/** From a message to the slots of its signal: its own and that of `any`. */
export class Router {
  /** Sensor to concept to slots, for signals of a named sensor; those of `any` are included. */
  private readonly named = new Map<string, Map<string, readonly number[]>>();
  private readonly any = new Map<string, readonly number[]>();

  constructor(slots: readonly Slot[]) {
    for (const [index, { sensor, concept }] of slots.entries())
      if (sensor === anySensor) this.any.set(concept, [index]);
    for (const [index, { sensor, concept }] of slots.entries()) {
      if (sensor === anySensor) continue;
      const concepts = this.named.get(sensor) ?? new Map<string, readonly number[]>();
      concepts.set(concept, [index, ...(this.any.get(concept) ?? none)]);
      this.named.set(sensor, concepts);
    }
  }

  slots(message: Message): readonly number[] {
    const concept = "kind" in message ? lostConcept : message.concept;
    return this.named.get(message.sensor)?.get(concept) ?? this.any.get(concept) ?? none;
  }
}
