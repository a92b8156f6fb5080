import { type Config, everySensor } from "../config.js";
import { type Micros, s } from "../core/time.js";
import type { Supervised } from "../device/supervise.js";
import type { Message } from "../pipeline.js";
import type { SensorStatus } from "../publish/messages.js";
import type { Publisher } from "../publish/publisher.js";
import type { Known } from "../space/known.js";
import type { SlideCounters } from "../window/cut.js";
import type { FusedFlow } from "./fusions.js";
import type { FlowSensor } from "./perceive.js";
import { statusOf } from "./publish.js";

/** A sensor's status is published when it changes and this often. */
const statusEvery = s(10);

export interface ReportedParts {
  readonly config: Config;
  readonly publisher: Pick<Publisher, "sensorStatus">;
  readonly sensors: readonly FlowSensor[];
  readonly readings: ReadonlyMap<string, Supervised>;
  readonly fusions: readonly FusedFlow[];
  /** What is known of a sensor's background by now. */
  readonly known: (sensor: string) => Readonly<Record<string, Known>>;
}

/** Publishes how the sensors are, and how much of their background is known: when that changes, now and then, and at the end. */
export class StatusReport {
  readonly #parts: ReportedParts;
  readonly #counters: ReadonlyMap<string, SlideCounters>;
  #last = 0;

  constructor(parts: ReportedParts) {
    this.#parts = parts;
    this.#counters = new Map(parts.sensors.map(({ id, counters }) => [id, counters]));
  }

  after(message: Message, now: Micros): void {
    if (message.kind === "health") this.#say(message.sensor);
    if (now - this.#last >= statusEvery) {
      this.#last = now;
      this.all();
    }
  }

  all(): void {
    for (const sensor of this.#parts.readings.keys()) this.#say(sensor);
  }

  #say(sensor: string): void {
    const { publisher, fusions } = this.#parts;
    publisher.sensorStatus(sensor, this.#withKnown(sensor, this.#statusOf(sensor)));
    for (const flow of fusions) {
      if (sensor in flow.plan.members) publisher.sensorStatus(flow.plan.sensor, this.#statusOfFused(flow));
    }
  }

  #statusOf(sensor: string): SensorStatus {
    const { health } = this.#parts.readings.get(sensor)!;
    return statusOf(this.#parts.config.sensors[sensor]!, health, this.#counters.get(sensor)!);
  }

  /** It is there as long as one of its members is. */
  #statusOfFused({ plan: { sensor, members, every } }: FusedFlow): SensorStatus {
    const { config } = this.#parts;
    const states = Object.keys(members).map((member) => this.#statusOf(member).state);
    const state = states.find((one) => one === "ok") ?? states[0]!;
    const { modality } = everySensor(config)[sensor]!;
    const clock = { offsetUs: 0, driftPpm: 0 };
    return this.#withKnown(sensor, { v: 1, state, modality, device: "fused", rateHz: 1e6 / every, dropped: 0, clock });
  }

  #withKnown(sensor: string, status: SensorStatus): SensorStatus {
    const background = this.#parts.known(sensor);
    return Object.keys(background).length === 0 ? status : { ...status, background };
  }
}
