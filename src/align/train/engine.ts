import type { Tensor } from "../../core/tensor.js";

export interface EngineSession extends AsyncDisposable {
  /** Runs the graph once; the feeds' buffers may be taken over. */
  run(feeds: Readonly<Record<string, Tensor>>, signal?: AbortSignal): Promise<Readonly<Record<string, Tensor>>>;
}

/** What runs graphs: the encoder stage's Runtime is one, so that training and inference share it. */
export interface Engine {
  load(path: string, options?: { readonly threads?: number }): Promise<EngineSession>;
}
