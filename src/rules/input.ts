import type { Event } from "../core/event.js";
import type { Micros } from "../core/time.js";

/** States of a sensor (MQTT contract, version 1): all but `ok` make `sensor.lost` true. */
export const sensorStates = ["ok", "stalled", "absent", "error"] as const;
export type SensorState = (typeof sensorStates)[number];

/** A sensor's status changed at an event time. */
export interface StatusInput {
  readonly kind: "status";
  readonly sensor: string;
  readonly state: SensorState;
  readonly at: Micros;
}

/** What a rule engine is told, one at a time. */
export type Input =
  | { readonly kind: "event"; readonly event: Event }
  | StatusInput
  /** Time has come this far: of one sensor (it was read up to there, recognised or not), or the host's clock. */
  | { readonly kind: "time"; readonly sensor?: string; readonly at: Micros }
  /** The trace is complete: the watermark reaches infinity, every deadline falls due. */
  | { readonly kind: "end" }
  /** The engine stops at this time: what was told up to then is evaluated and every alert gets its end. */
  | { readonly kind: "stop"; readonly at: Micros };
