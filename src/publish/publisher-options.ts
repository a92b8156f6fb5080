import type { Alert } from "../core/alert.js";
import type { Embedding } from "../core/embedding.js";
import type { Event } from "../core/event.js";
import type { Log } from "../core/log.js";
import type { Clock, Duration } from "../core/time.js";
import type { BrokerOptions, Environment } from "./broker.js";
import type { CommandOptions } from "./command-server.js";
import type { Patience } from "./courier.js";
import type { Dtype } from "./embedding-format.js";
import type { Announcement } from "./home-assistant.js";
import type { Calibration, Losses, SensorStatus, State, Status } from "./messages.js";

/** What a status says about the node beside its state. */
export type About = Pick<Status, "version" | "space" | "runtime" | "licence">;

export interface PublisherOptions {
  readonly node: string;
  readonly about: About;
  /** Absent: a broker in this process, on loopback. */
  readonly broker?: BrokerOptions;
  /** Where messages wait for the broker; absent: in memory only. */
  readonly outbox?: OutboxOptions;
  readonly embeddings?: {
    readonly dtype?: Dtype;
    /** Keep embeddings in the outbox while the broker is away, instead of dropping them. */
    readonly keep?: boolean;
  };
  /** Tell Home Assistant what there is (`announce`). */
  readonly homeAssistant?: boolean;
  /** Commands that others may give over MQTT; absent: none. */
  readonly commands?: CommandOptions;
  readonly patience?: Partial<Patience>;
}

export interface OutboxOptions {
  readonly folder: string;
  /** 64 MB unless given. */
  readonly maxBytes?: number;
  /** A week of running time unless given. */
  readonly maxAge?: Duration;
}

export interface Edge {
  readonly clock: Clock;
  readonly log: Log;
  readonly environment?: Environment;
}

/** The wire: takes what the pipeline makes and never makes it wait. */
export interface Publisher extends AsyncDisposable {
  /** The broker, as others can reach it; without user and password. */
  readonly url: string;
  readonly connected: boolean;
  /** What a crash left open, to be ended with `reason: "restart"`, and where to go on counting. */
  readonly recovered: {
    readonly events: readonly Event[];
    readonly alerts: readonly Alert[];
    readonly nextSeq: number;
  };
  readonly losses: Losses;
  /** Messages that the broker has not acknowledged. */
  readonly pending: number;
  event(event: Event): void;
  alert(alert: Alert): void;
  state(sensor: string, concept: string, state: State): void;
  sensorStatus(sensor: string, status: SensorStatus): void;
  calibration(sensor: string, calibration: Calibration): void;
  embedding(embedding: Embedding): void;
  /** A rule's own message, a text on `<root>/action/<topic>`; it waits in the outbox like an update. */
  say(topic: string, text: string, options: { readonly retain: boolean }): void;
  /** Changes what the status says, for instance after another bundle was loaded. */
  about(about: About): void;
  /** Tells Home Assistant which entities there are now, if that is on; what is no longer among them is removed there. */
  announce(announcement: Announcement): void;
  /** Resolves when a kill -9 can no longer lose what was published so far. */
  flush(): Promise<void>;
  /** Sends what is waiting for at most so long, then says offline. True if nothing is left. */
  drain(deadline: Duration): Promise<boolean>;
}
