import { type SensorConcepts, type SensorMemory, thresholdOf } from "./recognise.js";

/** How much is known of the background of one concept on one sensor. */
export interface Known {
  /** Minutes that were seen. */
  readonly minutes: number;
  /** The margin that they make an event begin at; absent while too little is known to allow one. */
  readonly threshold?: number;
}

/** By concept, of those that have a false-alarm rate. */
export function knownOf(
  { concepts, scale }: SensorConcepts,
  { learned }: SensorMemory,
): Readonly<Record<string, Known>> {
  const calibrated = concepts.filter(({ settings }) => settings.falseAlarms !== undefined);
  return Object.fromEntries(
    calibrated.map((concept) => {
      const { id } = concept;
      const threshold = thresholdOf(concept, learned[id], scale);
      const minutes = learned[id]?.blocks.count ?? 0;
      return [id, { minutes, ...(Number.isFinite(threshold) && { threshold }) }];
    }),
  );
}
