import type { Asked } from "../../align/net/plan.js";
import type { Config, SensorConfig } from "../../config.js";
import { SenseError } from "../../core/errors.js";
import type { Duration } from "../../core/time.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Node } from "../../pipeline/node.js";
import { isUnbound } from "../../pipeline/unbound.js";
import type { Gathered } from "./gathered.js";
import { givesMaps, type LentBundle, lendCamera } from "./lent.js";
import { usualMemory } from "./memory.js";

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

/** Throws `BAD_ARGUMENT` for what cannot be bound to one another. */
export function checkAsked({ sensors }: Pick<Config, "sensors">, asked: { sensor: string; camera: string }): void {
  const { sensor, camera } = asked;
  if (sensors[camera]?.modality !== "vision") {
    throw new SenseError("BAD_ARGUMENT", `${camera} is no camera`, {
      hint: "Give the camera that looks at the same place.",
    });
  }
  if (sensors[sensor]?.modality === "vision") {
    throw new SenseError("BAD_ARGUMENT", `${sensor} is a camera: its space is the one that others are bound to`);
  }
}

/** What learning beside the flow may take, in bytes. */
export const memoryFor = ({ calibrate: { maxMegabytes } }: Pick<Config, "calibrate">): number =>
  maxMegabytes === undefined ? usualMemory() : maxMegabytes * 1e6;

/** The camera's encoder for a sensor of maps that has none; nothing for others. */
export async function lentTo(
  sensor: string,
  settings: SensorConfig,
  { bundle, runtime }: Node,
): Promise<LentBundle | undefined> {
  const { modality } = settings;
  if (!isUnbound(settings, bundle.forSensor(sensor)) || !givesMaps(modality)) return undefined;
  return lendCamera(bundle, modality, runtime);
}
