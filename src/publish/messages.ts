import * as z from "zod";
import { Id, Modality } from "../core/modality.js";

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
  /** What the device says of itself: what decodes its stream, a clipped or silent microphone, a shutter that is shut. */
  note: z.string().optional(),
  /** By concept with a false-alarm rate: minutes of background that are known, and the margin at which an event begins. */
  background: z.record(Id, z.strictObject({ minutes: count, threshold: z.number().optional() })).optional(),
});
export type SensorStatus = Readonly<z.infer<typeof SensorStatus>>;

/** How far a sensor is on its way into the camera's space (MQTT contract, version 1): retained. */
export const Calibration = z.strictObject({
  v: z.literal(1),
  /** `unbound`: the sensor has no encoder and waits for `calibrate/start`. */
  state: z.enum(["unbound", "collecting", "training", "installed", "stopped", "undone", "failed"]),
  /** The camera whose space the sensor is bound to. */
  with: Id,
  /** When this state began, µs. */
  since: instant,
  /** Of this state's work, 0..1. */
  progress: z.number().min(0).max(1),
  /** Pairs of a window and a camera's picture so far, and how many distinct scenes they show. */
  pairs: count,
  scenes: count,
  /** Of the training step that was last. */
  loss: z.number().optional(),
  secondsLeft: z.number().nonnegative().optional(),
  /** Recall on the held-out pairs as it is now, 0..1: own frame the nearest, and among the nearest five. */
  heldOut: z.strictObject({ at1: z.number().min(0).max(1), at5: z.number().min(0).max(1) }).optional(),
  /** Recall at 1 on pairs that were held out, 0..1: of the head before, and of the new one. */
  recall: z.strictObject({ before: z.number().min(0).max(1).optional(), after: z.number().min(0).max(1) }).optional(),
  /** Why it failed, or was not installed. */
  error: z.strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
});
export type Calibration = Readonly<z.infer<typeof Calibration>>;

/** Whether a concept is recognised now (MQTT contract, version 1): retained. */
export const State = z.strictObject({
  v: z.literal(1),
  on: z.boolean(),
  /** Calibrated, 0..1. */
  score: z.number().min(0).max(1),
  since: instant,
});
export type State = Readonly<z.infer<typeof State>>;
