import { type Config, everySensor } from "../config.js";
import type { Duration } from "../core/time.js";
import type { Bundle } from "../encoder/bundle.js";
import type { FusionPlan } from "../space/fuse.js";
import type { Scale } from "../space/score.js";
import { windowOf } from "./node.js";

/** A fused sensor, and how the cosines of its members are read, which changes when one of them is bound anew. */
export interface FusedFlow {
  readonly plan: FusionPlan;
  scales(): Readonly<Record<string, Scale>>;
}

/** How the fused sensors are put together, and how their members' cosines are read. */
export function fusionsOf(
  { sensors, fused, lateness }: Pick<Config, "sensors" | "fused" | "lateness">,
  bundle: Bundle,
): readonly FusedFlow[] {
  return Object.entries(fused).map(([sensor, { fuse, every, hold }]) => {
    const towers = () =>
      Object.keys(fuse).map((id) => [id, bundle.forSensor(id).tower(sensors[id]!.modality)] as const);
    const windows = new Map(Object.keys(fuse).map((id) => [id, windowOf(sensors[id]!, bundle.forSensor(id))]));
    const members = towers().map(([id, { logitScale }]) => {
      const own = hold ?? ((2 * windows.get(id)!.hop) as Duration);
      return [id, { reliability: fuse[id]! * logitScale, hold: own }] as const;
    });
    const shortest = Math.min(...[...windows.values()].map(({ hop }) => hop)) as Duration;
    const { modality } = everySensor({ sensors, fused })[sensor]!;
    const plan = {
      sensor,
      modality,
      members: Object.fromEntries(members),
      every: every ?? shortest,
      patience: lateness,
    };
    return { plan, scales: () => Object.fromEntries(towers()) };
  });
}
