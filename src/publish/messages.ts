import * as z from "zod";
import { Modality } from "../core/modality.js";

const instant = z.int().nonnegative();
const count = z.int().nonnegative();

/** Messages that were given up, by what they held; they never reached the broker. */
export const Losses = z.strictObject({
  embeddings: count,
  /** Event updates, states and sensor statuses. */
  updates: count,
  /** Begins and ends of events, and alerts. */
  events: count,
});
export type Losses = Readonly<z.infer<typeof Losses>>;

/** The node is there or it is not (MQTT contract, version 1): retained, and the last will. */
export const Status = z.strictObject({
  v: z.literal(1),
  state: z.enum(["online", "offline"]),
  /** When this state began, µs; in a last will, when the connection that was lost began. */
  since: instant,
  version: z.string(),
  space: z.string(),
  runtime: z.strictObject({ name: z.string(), provider: z.string() }),
  /** The bundle's licence, by its SPDX name, where it has conditions that users must know of. */
  licence: z.string().optional(),
  lost: Losses.optional(),
});
export type Status = Readonly<z.infer<typeof Status>>;

/** The health of one sensor (MQTT contract, version 1): retained. */
export const SensorStatus = z.strictObject({
  v: z.literal(1),
  state: z.enum(["ok", "stalled", "absent", "error"]),
  modality: Modality,
  device: z.string(),
  rateHz: z.number().nonnegative(),
  /** Readings and windows of this sensor that were lost. */
  dropped: count,
  clock: z.strictObject({ offsetUs: z.number(), driftPpm: z.number() }),
  error: z.string().optional(),
});
export type SensorStatus = Readonly<z.infer<typeof SensorStatus>>;

/** Whether a concept is recognised now (MQTT contract, version 1): retained. */
export const State = z.strictObject({
  v: z.literal(1),
  on: z.boolean(),
  /** Calibrated, 0..1. */
  score: z.number().min(0).max(1),
  since: instant,
});
export type State = Readonly<z.infer<typeof State>>;
