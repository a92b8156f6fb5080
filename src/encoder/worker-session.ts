import { SenseError } from "../core/errors.js";
import { type Tensor, tensor } from "../core/tensor.js";
import { abortable } from "./abortable.js";
import type { Lane } from "./lane.js";
import type { Signature } from "./protocol.js";
import type { Dimension, Feeds, Session } from "./runtime.js";

type Outputs = Readonly<Record<string, Tensor>>;

interface Run {
  readonly feeds: Feeds;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (outputs: Outputs) => void;
  readonly reject: (error: unknown) => void;
}

export interface Placement {
  readonly id: number;
  readonly lanes: readonly Lane[];
  /** Runs that may wait. */
  readonly queue: number;
}

/** A graph held by one or more lanes; runs wait here, in order, until a lane has room. */
export class WorkerSession implements Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly shapes: Readonly<Record<string, readonly Dimension[]>>;
  readonly #placement: Placement;
  readonly #changed: () => void;
  #waiting: Run[] = [];
  #closed = false;

  /** `changed` is called when a run came in, and when the session closed. */
  constructor(signature: Signature, placement: Placement, changed: () => void) {
    this.inputs = signature.inputs;
    this.outputs = signature.outputs;
    this.shapes = signature.shapes;
    this.#placement = placement;
    this.#changed = changed;
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
    this.#changed();
    return abortable(outputs, signal);
  }

  /** Gives the run that waited longest to the least busy lane with room; false where there is no run or no room. */
  dispatch(): boolean {
    const lane = this.#placement.lanes.filter(({ hasRoom }) => hasRoom).sort((a, b) => a.busy - b.busy)[0];
    if (lane === undefined) return false;
    const run = this.#waiting.shift();
    if (run === undefined) return false;
    if (run.signal?.aborted) return true;
    lane
      .give({ kind: "run", session: this.#placement.id, feeds: run.feeds })
      .then((outputs) => run.resolve(outputs as Outputs), run.reject);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const closed = new SenseError("RUNTIME_FAILED", "the session was closed before the run began");
    for (const { reject } of this.#waiting.splice(0)) reject(closed);
    this.#changed();
    await Promise.all(this.#placement.lanes.map((lane) => lane.drop(this.#placement.id)));
  }

  #admit(): void {
    const { queue } = this.#placement;
    if (this.#waiting.length < queue) return;
    this.#waiting = this.#waiting.filter(({ signal }) => !signal?.aborted);
    if (this.#waiting.length < queue) return;
    throw new SenseError("RUNTIME_BUSY", `${queue} runs of this model wait already`, {
      hint: "Await the runs, lower the rate of the sensors, or give the runtime more workers.",
    });
  }
}
