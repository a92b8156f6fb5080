import type { CommandResult } from "./commands.js";
import type { SensorStatus, State } from "./messages.js";
import type { Packet } from "./packet.js";
import { parseTopic } from "./topics.js";

/** The newest payload of each retained topic: a broker may come back without them. */
export class Retained {
  readonly #payloads = new Map<string, Uint8Array>();

  set(topic: string, payload: Uint8Array): void {
    // A copy: the bytes may share a block with messages that are long gone.
    this.#payloads.set(topic, Buffer.from(payload));
  }

  /** Packets of the topics that are not among those. */
  except(topics: ReadonlySet<string>): Packet[] {
    return [...this.#payloads]
      .filter(([topic]) => !topics.has(topic))
      .map(([topic, payload]) => ({ topic, payload, qos: 1, retain: true, contentType: "application/json" }));
  }

  /** The answer to the command `snapshot`. */
  snapshot(): CommandResult<"snapshot"> {
    const sensors: Record<string, SensorStatus> = {};
    const states: Record<string, State> = {};
    for (const [topic, payload] of this.#payloads) {
      const { kind, sensor = "", concept = "" } = parseTopic(topic) ?? {};
      const value: unknown = JSON.parse(Buffer.from(payload).toString());
      if (kind === "sensorStatus") sensors[sensor] = value as SensorStatus;
      if (kind === "state") states[`${sensor}/${concept}`] = value as State;
    }
    return { sensors, states };
  }
}
