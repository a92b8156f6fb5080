import { nativeRuntime } from "./native-runtime.js";
import type { Runtime } from "./runtime.js";
import { type WorkerRuntimeOptions, workerRuntime } from "./worker-runtime.js";

export interface RuntimeChoice extends WorkerRuntimeOptions {
  /** Path of a libonnxruntime.so; absent: onnxruntime-node in worker threads. */
  readonly library?: string | undefined;
}

/** The runtime that a configuration asks for. */
export function openRuntime({ library, ...options }: RuntimeChoice = {}): Promise<Runtime> {
  return library === undefined ? workerRuntime(options) : nativeRuntime(library, options);
}
