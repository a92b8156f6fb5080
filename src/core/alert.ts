import * as z from "zod";
import { Id, NodeId } from "./modality.js";

/** A temporal rule came true (or stopped being true), and because of which events (MQTT contract, version 1). */
export const Alert = z.strictObject({
  v: z.literal(1),
  /** The same for begin and end of one alert. */
  id: z.string(),
  /** Counts the messages of this node from 0. */
  seq: z.int().nonnegative(),
  node: NodeId,
  rule: Id,
  phase: z.enum(["begin", "end"]),
  at: z.int().nonnegative(),
  because: z.array(z.string()),
  /** Scores and counts that the rule's expression compares, at `at`. */
  values: z.record(z.string(), z.number()),
});
export type Alert = Readonly<z.infer<typeof Alert>>;
