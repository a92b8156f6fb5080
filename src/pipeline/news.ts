import type { Micros } from "../core/time.js";
import type { SensorHealth } from "../device/health.js";
import type { Judge, Said } from "./judge.js";

/** A sensor's health changed, as its device says. */
export interface HealthChange {
  readonly kind: "health";
  readonly at: Micros;
  readonly sensor: string;
  readonly health: SensorHealth;
}

/** The host's clock, now and then, so that deadlines of silent sensors fall due. */
export interface Tick {
  readonly kind: "tick";
  readonly at: Micros;
}

/** A change of a running flow, done between two of its messages. */
export interface Order {
  readonly kind: "order";
  readonly work: (judge: Judge) => Iterable<Said>;
  readonly settle: (error?: unknown) => void;
}

/** What a live flow hears beside its sensors. */
export type News = HealthChange | Tick | Order;
