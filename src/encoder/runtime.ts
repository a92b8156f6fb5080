import type { Tensor } from "../core/tensor.js";

export type Feeds = Readonly<Record<string, Tensor>>;

/** A dimension of a graph's input: a number that must be met, or the name of one that is free. */
export type Dimension = number | string;

export interface SessionOptions {
  /** Execution providers in order of preference; a name the runtime lacks is an error, not a fallback. */
  readonly providers?: readonly string[];
  /** Threads inside one operator. */
  readonly threads?: number;
  /** How many threads of the runtime hold the graph, so that as many runs go side by side; at most all of them. */
  readonly copies?: number;
  /** Runs that may wait; one more is refused with `RUNTIME_BUSY`. */
  readonly queue?: number;
}

/** A loaded graph. Single-use: after `dispose` it is gone. */
export interface Session extends AsyncDisposable {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Shape of each input, by name; empty where the graph does not say. */
  readonly shapes: Readonly<Record<string, readonly Dimension[]>>;
  /**
   * Runs the graph. The feeds' buffers may be taken over (transferred): do not use them afterwards.
   * Rejects with `MODEL_MISMATCH` for feeds that do not fit, `RUNTIME_BUSY` when too many runs wait, `RUNTIME_FAILED`
   * for everything the runtime cannot do, and the signal's reason at once when it aborts.
   */
  run(feeds: Feeds, signal?: AbortSignal): Promise<Readonly<Record<string, Tensor>>>;
}

/** What runs ONNX graphs: onnxruntime-node in worker threads, or a libonnxruntime.so of the user's choice. */
export interface Runtime extends AsyncDisposable {
  readonly name: string;
  /** Execution providers that this runtime really has. */
  readonly providers: readonly string[];
  load(path: string, options?: SessionOptions): Promise<Session>;
}
