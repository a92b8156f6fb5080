import * as z from "zod";
import { Id, Modality, NodeId } from "./modality.js";

const instant = z.int().nonnegative();

/** Why an event fired: what a user needs to trust or correct it. */
export const Explanation = z.strictObject({
  /** Raw cosine of the window with the concept. */
  cosine: z.number(),
  /** Mean and standard deviation of that cosine on content that has nothing to do with the concept. */
  background: z.strictObject({
    mean: z.number(),
    deviation: z.number(),
    /** Minutes of the sensor's own background that the threshold rests on, where it has a false-alarm rate. */
    minutes: z.int().nonnegative().optional(),
  }),
  bestPrompt: z.string(),
  /** How far the cosine is above what nothing looks like, less the same of the rival; the margin at which an event begins. */
  margin: z.number().optional(),
  threshold: z.number().optional(),
  /** What else the window resembled: a negative, a background word, another concept, or `nothing`. */
  rival: z.strictObject({ of: z.string(), margin: z.number() }).optional(),
  runnerUp: z.strictObject({ concept: z.string(), score: z.number() }).optional(),
  /** Of a fused sensor: who took part in this moment with which weight, and who did not for which reason. */
  contributors: z
    .array(
      z.strictObject({
        sensor: Id,
        /** Share of the fused vector, 0..1; 0 for one that was left out. */
        weight: z.number().min(0).max(1),
        /** Of its own window with the concept. */
        cosine: z.number().optional(),
        left: z.string().optional(),
      }),
    )
    .optional(),
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
