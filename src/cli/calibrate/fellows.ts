import type { Modality } from "../../core/modality.js";
import type { Manifest } from "../../encoder/manifest.js";

export interface Around {
  readonly manifest: Pick<Manifest, "sensors">;
  /** The sensors of the configuration or the recording. */
  readonly sensors: Readonly<Record<string, { readonly modality: Modality }>>;
}

/**
 * Whether what is learned for a sensor is for that one alone: others perceive the same, and their encoder stays as it is; or it was
 * bound alone before, and its own encoder goes before that of its modality.
 */
export const isAlone = (sensor: string, modality: Modality, { manifest, sensors }: Around): boolean =>
  Object.hasOwn(manifest.sensors ?? {}, sensor) ||
  Object.entries(sensors).some(([id, other]) => id !== sensor && other.modality === modality);
