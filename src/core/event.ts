import * as z from "zod";
import { Id, Modality, NodeId } from "./modality.js";

const instant = z.int().nonnegative();

/** Why an event fired: what a user needs to trust or correct it. */
export const Explanation = z.strictObject({
  /** Raw cosine of the window with the concept. */
  cosine: z.number(),
  /** Mean and standard deviation of that cosine on content that has nothing to do with the concept. */
  background: z.strictObject({ mean: z.number(), deviation: z.number() }),
  bestPrompt: z.string(),
  runnerUp: z.strictObject({ concept: z.string(), score: z.number() }).optional(),
});
export type Explanation = Readonly<z.infer<typeof Explanation>>;

/** A concept recognised by a sensor (MQTT contract, version 1): times are integer µs since the Unix epoch. */
export const Event = z.strictObject({
  v: z.literal(1),
  /** The same for begin, updates and end of one event. */
  id: z.string(),
  /** Counts the messages of this node from 0. */
  seq: z.int().nonnegative(),
  node: NodeId,
  sensor: Id,
  modality: Modality,
  concept: Id,
  phase: z.enum(["begin", "update", "end"]),
  /** Calibrated, 0..1. */
  score: z.number().min(0).max(1),
  from: instant,
  to: instant,
  /** The instant at which this phase became true. */
  at: instant,
  space: z.string(),
  latencyUs: z.int().nonnegative(),
  reason: z.enum(["restart", "sensor-lost", "shutdown", "concept-removed"]).optional(),
  explain: Explanation.optional(),
});
export type Event = Readonly<z.infer<typeof Event>>;
