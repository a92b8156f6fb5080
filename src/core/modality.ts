import * as z from "zod";

/** The modalities of the shared space, ImageBind's six and `other` for any sensor of named channels. */
export const modalities = ["vision", "text", "audio", "depth", "thermal", "imu", "other"] as const;

export const Modality = z.enum(modalities);
export type Modality = z.infer<typeof Modality>;

/** Sensor, concept and rule ids: no id can inject a topic level or a wildcard (MQTT contract, version 1). */
export const Id = z.string().regex(/^[a-z0-9_-]{1,64}$/, "use 1 to 64 of a-z, 0-9, _ and -");

/** Node names (MQTT contract, version 1). */
export const NodeId = z.string().regex(/^[a-z0-9-]{1,32}$/, "use 1 to 32 of a-z, 0-9 and -");
