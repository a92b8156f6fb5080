import type { Duration, Micros } from "../../core/time.js";
import type { Label } from "./labels.js";
import { concerns } from "./match.js";

/** By how much one window was above its concept's rivals. */
export interface Sight {
  readonly sensor: string;
  readonly concept: string;
  readonly from: Micros;
  readonly to: Micros;
  readonly margin: number;
}

export interface Point {
  readonly threshold: number;
  readonly recall: number;
  readonly falseAlarmsPerHour: number;
}

const steps = 64;

/**
 * What every fixed threshold would have given with hindsight, as a ROC curve has it, but in events: the share of labels with a
 * window above the threshold, and the runs of windows above it that touch no label. Sights of one concept, in order of time.
 */
export function curve(
  labels: readonly Label[],
  sights: readonly Sight[],
  { hours, tolerance }: { readonly hours: number; readonly tolerance: Duration },
): readonly Point[] {
  const peaks = labels.map((label) =>
    Math.max(...sights.filter((sight) => concerns(label, sight, tolerance)).map(({ margin }) => margin)),
  );
  const outside = bySensor(sights).map((own) =>
    own.map((sight) => ({ ...sight, free: !labels.some((label) => concerns(label, sight, tolerance)) })),
  );
  const margins = sights.map(({ margin }) => margin).sort((a, b) => b - a);
  // Dense where alarms are rare: the steps are even in the logarithm of the windows above the threshold.
  const ranks = Array.from({ length: steps }, (_, i) => Math.floor(margins.length ** (i / (steps - 1))) - 1);
  const thresholds = [Number.POSITIVE_INFINITY, ...new Set([...ranks.map((rank) => margins[rank]!), ...peaks])];
  return thresholds
    .filter((threshold) => threshold > Number.NEGATIVE_INFINITY)
    .sort((a, b) => b - a)
    .map((threshold) => ({
      threshold,
      recall: peaks.filter((peak) => peak >= threshold).length / Math.max(1, labels.length),
      falseAlarmsPerHour: outside.reduce((sum, own) => sum + runs(own, threshold), 0) / hours,
    }));
}

/** Runs of neighbouring windows above a threshold that touch no label. */
function runs(own: readonly { readonly margin: number; readonly free: boolean }[], threshold: number): number {
  let count = 0;
  let inside = false;
  let free = true;
  for (const sight of own) {
    const above = sight.margin >= threshold;
    if (above) free = (inside ? free : true) && sight.free;
    else if (inside && free) count++;
    inside = above;
  }
  return inside && free ? count + 1 : count;
}

function bySensor(sights: readonly Sight[]): readonly (readonly Sight[])[] {
  return [...new Set(sights.map(({ sensor }) => sensor))].map((sensor) =>
    sights.filter((sight) => sight.sensor === sensor),
  );
}
