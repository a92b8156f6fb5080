import type { Alert } from "../core/alert.js";
import type { UnitVector } from "../core/embedding.js";
import type { Event } from "../core/event.js";
import type { Modality } from "../core/modality.js";
import type { Duration, Micros } from "../core/time.js";
import type { CommandName, CommandRequest, CommandResult } from "../publish/commands.js";
import type { Calibration, SensorStatus, State, Status } from "../publish/messages.js";
import type { Gap } from "./sequence.js";

/** Which messages to get; what is absent matches everything. */
export interface Filter {
  readonly node?: string;
  readonly sensor?: string;
  readonly concept?: string;
}

/** An embedding as it came; `space` is undefined only where the node has not said which one it is. */
export interface ReceivedEmbedding {
  readonly node: string;
  readonly sensor: string;
  readonly modality: Modality;
  readonly seq: number;
  readonly from: Micros;
  readonly to: Micros;
  readonly space: string | undefined;
  readonly vector: UnitVector;
}

export type Of<T> = T & { readonly node: string };
export type OfSensor<T> = Of<T> & { readonly sensor: string };
export type OfConcept<T> = OfSensor<T> & { readonly concept: string };

/** A subscriber's view of the nodes on a broker: typed, deduplicated, in order. Each iterable ends when it is left. */
export interface Client extends AsyncDisposable {
  events(filter?: Filter): AsyncIterable<Event>;
  alerts(filter?: { readonly node?: string; readonly rule?: string }): AsyncIterable<Alert>;
  states(filter?: Filter): AsyncIterable<OfConcept<State>>;
  embeddings(filter?: Omit<Filter, "concept">): AsyncIterable<ReceivedEmbedding>;
  statuses(filter?: Pick<Filter, "node">): AsyncIterable<Of<Status>>;
  sensors(filter?: Omit<Filter, "concept">): AsyncIterable<OfSensor<SensorStatus>>;
  calibrations(filter?: Omit<Filter, "concept">): AsyncIterable<OfSensor<Calibration>>;
  /** Messages that were lost on the way, seen by their missing `seq`; reads all events and alerts of the nodes. */
  gaps(filter?: Pick<Filter, "node">): AsyncIterable<Gap>;
  /** Gives a command and waits for its answer. Throws what the node answered, or `COMMAND_TIMEOUT`. */
  request<N extends CommandName>(
    node: string,
    name: N,
    request?: CommandRequest<N>,
    options?: RequestOptions,
  ): Promise<CommandResult<N>>;
  /** Resolves when the broker sends everything that was asked for so far. */
  ready(): Promise<void>;
  /** Messages that were thrown away: not of the contract's form, or too many for a reader that was too slow. */
  readonly dropped: { readonly malformed: number; readonly overrun: number };
}

export interface RequestOptions {
  readonly deadline?: Duration;
}
