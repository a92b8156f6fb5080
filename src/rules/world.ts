import { nearest } from "../core/suggest.js";

/** What can be named in a rule: each configured sensor with the concepts it is asked for. */
export type World = Readonly<Record<string, readonly string[]>>;

/** Names with a meaning of their own: `any.person` is any sensor's, `mic.lost` the status of mic. */
export const anySensor = "any";
export const lostConcept = "lost";

const concepts = (world: World, sensor: string): readonly string[] =>
  sensor === anySensor ? Object.values(world).flat() : Object.hasOwn(world, sensor) ? (world[sensor] ?? []) : [];

/** True if the signal can ever be true in this world. */
export function knows(world: World, sensor: string, concept: string): boolean {
  if (sensor !== anySensor && !Object.hasOwn(world, sensor)) return false;
  return concept === lostConcept || concepts(world, sensor).includes(concept);
}

/** What is wrong with a signal that the world does not know, and what was probably meant. */
export function unknownSignal(world: World, sensor: string, concept: string): { message: string; hint: string } {
  const sensors = Object.keys(world);
  const known = sensor === anySensor || Object.hasOwn(world, sensor);
  const signals = [...sensors, anySensor].flatMap((each) => concepts(world, each).map((name) => `${each}.${name}`));
  const likely = `${nearest(sensor, sensors) ?? sensor}.${concept}`;
  const meant =
    signals.find((each) => each === likely) ??
    signals.find((each) => each.endsWith(`.${concept}`)) ??
    nearest(`${sensor}.${concept}`, signals);
  const message = known ? `${sensor} has no concept ${concept}` : `no sensor is named ${sensor}`;
  const list = known ? concepts(world, sensor) : sensors;
  const choices = `Known ${known ? "concepts" : "sensors"}: ${list.slice(0, 20).join(", ") || "none"}.`;
  return { message, hint: meant === undefined ? choices : `Did you mean ${meant}?` };
}
