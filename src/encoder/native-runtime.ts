import { dirname } from "node:path";
import { SenseError } from "../core/errors.js";
import { type OrtLibrary, openLibrary, type Pointer } from "./libonnxruntime.js";
import { NativeGraph } from "./native-graph.js";
import { checkProviders, installedProviders } from "./providers.js";
import { QueuedSession } from "./queued-session.js";
import type { Runtime, Session, SessionOptions } from "./runtime.js";

export interface NativeRuntimeOptions {
  /** Threads inside one operator, where the session does not say. */
  readonly threads?: number;
}

/** Only what would end the process is logged by the library: failures come back as statuses. */
const fatal = 4;

/**
 * A libonnxruntime.so of the user's choice, through its C API: how a Jetson's CUDA and TensorRT are reached. Runs go in
 * native threads. Rejects with `TOOL_MISSING` without koffi and `RUNTIME_FAILED` for a file that is no such library.
 */
export async function nativeRuntime(path: string, { threads = 1 }: NativeRuntimeOptions = {}): Promise<Runtime> {
  const ort = await openLibrary(path);
  return new NativeRuntime(ort, { path, threads });
}

class NativeRuntime implements Runtime {
  readonly name: string;
  readonly providers: readonly string[];
  readonly #ort: OrtLibrary;
  readonly #environment: Pointer;
  readonly #compiled: ReadonlyMap<string, string>;
  readonly #threads: number;
  readonly #sessions = new Set<Session>();

  constructor(ort: OrtLibrary, { path, threads }: { readonly path: string; readonly threads: number }) {
    this.name = `libonnxruntime ${ort.version}`;
    this.#ort = ort;
    this.#environment = ort.make("CreateEnv", fatal, "sensebind");
    this.#compiled = compiledProviders(ort);
    this.#threads = threads;
    this.providers = installedProviders(dirname(path), [...this.#compiled.keys()]);
  }

  async load(path: string, options: SessionOptions = {}): Promise<Session> {
    const { providers = ["cpu"], threads = this.#threads, copies = 1, queue = 64 } = options;
    checkProviders(providers, this.providers);
    const made = await this.#createSession(path, { providers, threads });
    const graph = new NativeGraph(this.#ort, made, { path, places: copies, onRoom: () => pump() });
    const session = new QueuedSession(graph.signature, { places: [graph], queue, changed: () => pump() });
    const pump = (): void => {
      while (session.dispatch());
      if (session.closed) this.#sessions.delete(session);
    };
    this.#sessions.add(session);
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session[Symbol.asyncDispose]()));
    this.#ort.call("ReleaseEnv", this.#environment);
  }

  /** In a thread of its own: TensorRT takes minutes to build an engine. */
  async #createSession(
    path: string,
    { providers, threads }: Required<Pick<SessionOptions, "providers" | "threads">>,
  ): Promise<Pointer> {
    const ort = this.#ort;
    const options = ort.make("CreateSessionOptions");
    const out = new BigUint64Array(1);
    try {
      ort.call("SetSessionLogSeverityLevel", options, fatal);
      ort.call("SetIntraOpNumThreads", options, threads);
      ort.call("SetInterOpNumThreads", options, 1);
      for (const provider of providers) appendProvider(ort, options, this.#compiled.get(provider)!);
      await ort.callAsync("CreateSession", [this.#environment, path, options, out], out);
      return out[0]!;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SenseError("RUNTIME_FAILED", `${path} could not be loaded: ${why}`, {
        hint: "Check the bundle with `sensebind models verify`.",
        cause,
      });
    } finally {
      ort.call("ReleaseSessionOptions", options);
    }
  }
}

/** Providers of the build: our name, which is onnxruntime-node's, to the library's own. */
function compiledProviders(ort: OrtLibrary): ReadonlyMap<string, string> {
  const count = new Int32Array(1);
  const list = new BigUint64Array(1);
  ort.call("GetAvailableProviders", list, count);
  const names = ort.texts(list[0]!, count[0]!).map((name) => name.replace(/ExecutionProvider$/, ""));
  ort.call("ReleaseAvailableProviders", list[0]!, count[0]!);
  return new Map(names.map((name) => [name.toLowerCase(), name]));
}

/** The CPU provider is always there and comes last. */
function appendProvider(ort: OrtLibrary, options: Pointer, name: string): void {
  switch (name) {
    case "CPU":
      break;
    case "CUDA": {
      const own = ort.make("CreateCUDAProviderOptions");
      ort.call("SessionOptionsAppendExecutionProvider_CUDA_V2", options, own);
      ort.call("ReleaseCUDAProviderOptions", own);
      break;
    }
    case "Tensorrt": {
      const own = ort.make("CreateTensorRTProviderOptions");
      ort.call("SessionOptionsAppendExecutionProvider_TensorRT_V2", options, own);
      ort.call("ReleaseTensorRTProviderOptions", own);
      break;
    }
    default: {
      // Written in capitals here, unlike in the list of providers.
      const called = name === "Xnnpack" ? "XNNPACK" : name;
      ort.call("SessionOptionsAppendExecutionProvider", options, called, 0n, 0n, 0);
    }
  }
}
