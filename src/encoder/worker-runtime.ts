import { fileURLToPath } from "node:url";
import { Lane } from "./lane.js";
import { checkProviders } from "./providers.js";
import { type Outputs, type Place, QueuedSession, type Signature } from "./queued-session.js";
import type { Runtime, Session, SessionOptions } from "./runtime.js";
import { forbidTelemetry } from "./telemetry.js";

export interface WorkerRuntimeOptions {
  /** Threads; each runs one graph at a time. */
  readonly workers?: number;
  /** Threads inside one operator, where the session does not say. */
  readonly threads?: number;
  /** The worker's JavaScript; a test gives one that misbehaves. */
  readonly entry?: URL;
}

/**
 * onnxruntime-node in worker threads: its `run` blocks the thread that calls it, so the event loop of this one stays
 * free. Tensors move by transfer. Rejects with `RUNTIME_FAILED` where the native library cannot be loaded.
 */
export async function workerRuntime(options: WorkerRuntimeOptions = {}): Promise<Runtime> {
  const runtime = new WorkerRuntime(options);
  try {
    await runtime.ready();
    return runtime;
  } catch (error) {
    await runtime[Symbol.asyncDispose]();
    throw error;
  }
}

class WorkerRuntime implements Runtime {
  readonly name = "onnxruntime-node";
  readonly #lanes: readonly Lane[];
  readonly #threads: number;
  #sessions: QueuedSession[] = [];
  #nextSession = 0;

  constructor({ workers = 1, threads = 1, entry = workerEntry() }: WorkerRuntimeOptions) {
    forbidTelemetry();
    this.#threads = threads;
    this.#lanes = Array.from({ length: workers }, () => new Lane(entry, () => this.#pump()));
  }

  get providers(): readonly string[] {
    return this.#lanes[0]!.providers;
  }

  async ready(): Promise<void> {
    await Promise.all(this.#lanes.map(({ ready }) => ready));
  }

  async load(path: string, options: SessionOptions = {}): Promise<Session> {
    const { providers = ["cpu"], threads = this.#threads, copies = 1, queue = 64 } = options;
    checkProviders(providers, this.providers);
    const id = this.#nextSession++;
    const lanes = [...this.#lanes].sort((a, b) => a.sessions - b.sessions).slice(0, copies);
    const load = { kind: "load", session: id, path, options: { providers, threads } } as const;
    const [signature] = await Promise.all(lanes.map((lane) => lane.hold(load))).catch(async (error: unknown) => {
      await Promise.allSettled(lanes.map((lane) => lane.drop(id)));
      throw error;
    });
    const places = lanes.map((lane) => placeOf(lane, id));
    const session = new QueuedSession(signature as Signature, { places, queue, changed: () => this.#pump() });
    this.#sessions.push(session);
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session[Symbol.asyncDispose]()));
    await Promise.all(this.#lanes.map((lane) => lane[Symbol.asyncDispose]()));
  }

  /** Gives waiting runs to lanes with room, one of each session in turn, so that a busy model does not starve another. */
  #pump(): void {
    this.#sessions = this.#sessions.filter(({ closed }) => !closed);
    for (let idle = 0; idle < this.#sessions.length; ) {
      const session = this.#sessions.shift()!;
      this.#sessions.push(session);
      idle = session.dispatch() ? 0 : idle + 1;
    }
  }
}

function placeOf(lane: Lane, session: number): Place {
  return {
    get hasRoom() {
      return lane.hasRoom;
    },
    get busy() {
      return lane.busy;
    },
    run: (feeds) => lane.give({ kind: "run", session, feeds }) as Promise<Outputs>,
    release: () => lane.drop(session),
  };
}

/** A worker thread runs compiled JavaScript: seen from the TypeScript sources (tests, tsx) that is the one in dist/. */
function workerEntry(): URL {
  const fromSources = fileURLToPath(import.meta.url).endsWith(".ts");
  return new URL(fromSources ? "../../dist/src/encoder/worker.js" : "./worker.js", import.meta.url);
}
