import type { Tensor } from "../core/tensor.js";

export type Feeds = Readonly<Record<string, Tensor>>;

export interface SessionOptions {
  /** Execution providers in order of preference; a name the runtime lacks is an error, not a fallback. */
  readonly providers?: readonly string[];
  /** Threads inside one operator. */
  readonly threads?: number;
}

/** A loaded graph. Single-use: after `dispose` it is gone. */
export interface Session extends AsyncDisposable {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Runs the graph. The feeds' buffers may be taken over (transferred): do not use them afterwards. */
  run(feeds: Feeds, signal?: AbortSignal): Promise<Readonly<Record<string, Tensor>>>;
}

/** What runs ONNX graphs: onnxruntime-node in worker threads, or a libonnxruntime.so of the user's choice. */
export interface Runtime extends AsyncDisposable {
  readonly name: string;
  /** Execution providers that this runtime really has. */
  readonly providers: readonly string[];
  load(path: string, options?: SessionOptions): Promise<Session>;
}
