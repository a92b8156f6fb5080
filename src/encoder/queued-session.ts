import { SenseError } from "../core/errors.js";
import { type Tensor, tensor } from "../core/tensor.js";
import { abortable } from "./abortable.js";
import type { Dimension, Feeds, Session } from "./runtime.js";

export type Outputs = Readonly<Record<string, Tensor>>;

/** What a runtime found in a graph. */
export interface Signature {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly shapes: Readonly<Record<string, readonly Dimension[]>>;
}

/** Where a loaded graph can be run: a worker thread, or a native session. */
export interface Place {
  readonly hasRoom: boolean;
  /** Runs given and not yet answered. */
  readonly busy: number;
  run(feeds: Feeds, signal?: AbortSignal): Promise<Outputs>;
  release(): Promise<void>;
}

export interface QueuedSessionOptions {
  readonly places: readonly Place[];
  /** Runs that may wait. */
  readonly queue: number;
  /** Called when a run came in, and when the session closed. */
  readonly changed: () => void;
}

interface Run {
  readonly feeds: Feeds;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (outputs: Outputs) => void;
  readonly reject: (error: unknown) => void;
}

/** A graph held at one or more places; runs wait here, in order, until a place has room. */
export class QueuedSession implements Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly shapes: Readonly<Record<string, readonly Dimension[]>>;
  readonly #options: QueuedSessionOptions;
  #waiting: Run[] = [];
  #closed = false;

  constructor(signature: Signature, options: QueuedSessionOptions) {
    this.inputs = signature.inputs;
    this.outputs = signature.outputs;
    this.shapes = signature.shapes;
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async run(feeds: Feeds, signal?: AbortSignal): Promise<Outputs> {
    signal?.throwIfAborted();
    if (this.#closed) throw new SenseError("RUNTIME_FAILED", "the session was closed");
    for (const { dims, data } of Object.values(feeds)) tensor(dims, data);
    this.#admit();
    const outputs = new Promise<Outputs>((resolve, reject) => {
      this.#waiting.push({ feeds, signal, resolve, reject });
    });
    this.#options.changed();
    return abortable(outputs, signal);
  }

  /** Gives the run that waited longest to the least busy place with room; false where there is no run or no room. */
  dispatch(): boolean {
    const place = this.#options.places.filter(({ hasRoom }) => hasRoom).sort((a, b) => a.busy - b.busy)[0];
    if (place === undefined) return false;
    const run = this.#waiting.shift();
    if (run === undefined) return false;
    if (!run.signal?.aborted) place.run(run.feeds, run.signal).then(run.resolve, run.reject);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const closed = new SenseError("RUNTIME_FAILED", "the session was closed before the run began");
    for (const { reject } of this.#waiting.splice(0)) reject(closed);
    this.#options.changed();
    await Promise.all(this.#options.places.map((place) => place.release()));
  }

  #admit(): void {
    const { queue } = this.#options;
    if (this.#waiting.length < queue) return;
    this.#waiting = this.#waiting.filter(({ signal }) => !signal?.aborted);
    if (this.#waiting.length < queue) return;
    throw new SenseError("RUNTIME_BUSY", `${queue} runs of this model wait already`, {
      hint: "Await the runs, lower the rate of the sensors, or give the runtime more workers.",
    });
  }
}
