import type { Asked } from "../../align/net/plan.js";
import type { Duration } from "../../core/time.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Gathered } from "./gathered.js";

/**
 * A head on the vectors that the flow has, or an encoder for a sensor that has none; as the bundle's manifest describes it, where it
 * asks for no more than that.
 */
export function learnedFrom({ modality, encoded = false }: Gathered, { manifest }: Bundle): Asked {
  const asked = manifest.training?.[modality];
  const fits = encoded ? asked?.head && !asked.encoder && !asked.lora : asked?.encoder && !asked.lora;
  if (asked !== undefined && fits && !asked.camera) return asked;
  return encoded ? "head" : "encoder";
}

/** A window and a look of the camera lie at most half of the longer hop apart where both run; a little more for jitter. */
export function toleranceOf({ window, anchors }: Gathered): Duration {
  const gaps = anchors.slice(1).map(({ time }, i) => time - anchors[i]!.time);
  const usual = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
  return Math.max(250_000, 0.6 * Math.max(window.hop, usual)) as Duration;
}
