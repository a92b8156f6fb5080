import { type Config, everySensor } from "../config.js";
import type { World } from "../rules/world.js";
import { concerns } from "../space/concept.js";

/** The names that rules may use: sensors, also those that are not bound to the space yet, and the concepts each is asked for. */
export function worldOf(asked: Pick<Config, "sensors" | "fused" | "concepts">): World {
  const concepts = Object.entries(asked.concepts);
  const sensors = Object.entries(everySensor(asked)).map(([sensor, { modalities }]) => {
    const own = concepts.filter(([, settings]) => concerns(settings, sensor, modalities));
    return [sensor, own.map(([id]) => id)] as const;
  });
  return Object.fromEntries(sensors);
}
