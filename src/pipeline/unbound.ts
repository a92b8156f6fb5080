import type { SensorConfig } from "../config.js";
import { type Duration, s } from "../core/time.js";
import type { Bundle } from "../encoder/bundle.js";

/** True for a sensor that waits to be bound to its camera: the bundle has no encoder for it, and its configuration says so. */
export const isUnbound = (sensor: SensorConfig | undefined, { manifest }: Pick<Bundle, "manifest">): boolean =>
  sensor?.bind !== undefined && manifest.towers[sensor.modality] === undefined;

export interface Span {
  readonly length: Duration;
  readonly hop: Duration;
}

/** Windows of a sensor that no encoder was made for: ten seconds of samples, or the frames of a second. */
export const unknownWindow = (modality: SensorConfig["modality"]): Span =>
  modality === "other" || modality === "imu" ? { length: s(10), hop: s(1) } : { length: s(1), hop: s(1) };
