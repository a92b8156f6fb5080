import { Worker } from "node:worker_threads";
import { SenseError } from "../core/errors.js";
import type { Answer, Load, Order, Reply, Request } from "./protocol.js";
import { pack } from "./protocol.js";

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Orders sent to a lane ahead of the one it works on: the next is there when it is done, even if the main thread is busy. */
const ahead = 2;

/** How long a closing lane waits for the run it is at, in ms. */
const grace = 20_000;

/**
 * One worker thread and the graphs it holds. A thread that dies fails the orders it was given and is replaced by a new
 * one that loads the same graphs again; one that dies before it has done that is given up.
 */
export class Lane implements AsyncDisposable {
  providers: readonly string[] = [];
  readonly #entry: URL;
  readonly #onRoom: () => void;
  readonly #held = new Map<number, Load>();
  readonly #pending = new Map<number, Pending>();
  #worker: Worker;
  #ready: Promise<void>;
  #ended: Promise<void>;
  #started = false;
  #closed: SenseError | undefined;
  #nextId = 0;

  /** `onRoom` is called whenever an order can be given that could not before. */
  constructor(entry: URL, onRoom: () => void) {
    this.#entry = entry;
    this.#onRoom = onRoom;
    ({ worker: this.#worker, ready: this.#ready, ended: this.#ended } = this.#start());
  }

  /** Resolves when the thread stands and its graphs are loaded. Rejects with `RUNTIME_FAILED`. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Graphs held. */
  get sessions(): number {
    return this.#held.size;
  }

  /** Orders given and not yet answered. */
  get busy(): number {
    return this.#pending.size;
  }

  /** Whether an order given now would be worked on soon (or fail at once, for a lane that was given up). */
  get hasRoom(): boolean {
    return this.#closed !== undefined || (this.#started && this.#pending.size < ahead);
  }

  /** Rejects with the worker's error, or `RUNTIME_FAILED` when the thread dies. */
  async hold(load: Load): Promise<Answer> {
    const answer = await this.give(load);
    this.#held.set(load.session, load);
    return answer;
  }

  async drop(session: number): Promise<void> {
    if (this.#held.delete(session) && this.#closed === undefined) await this.give({ kind: "release", session });
  }

  give(order: Order): Promise<Answer> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      if (order.kind === "run") {
        const { tensors: feeds, buffers } = pack(order.feeds);
        this.#worker.postMessage({ ...order, feeds, id }, buffers);
      } else {
        this.#worker.postMessage({ ...order, id });
      }
      this.#worker.ref();
      this.#pending.set(id, { resolve, reject });
    });
  }

  /** A thread that is terminated inside onnxruntime-node aborts the process, so it ends itself after the run it is at. */
  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker;
    const ended = this.#ended;
    this.#giveUp(new SenseError("RUNTIME_FAILED", "the runtime was closed"));
    worker.ref();
    worker.postMessage({ kind: "close", id: this.#nextId++ } satisfies Request);
    const timer = setTimeout(() => void worker.terminate(), grace);
    await ended;
    clearTimeout(timer);
  }

  #start(): { worker: Worker; ready: Promise<void>; ended: Promise<void> } {
    // The entry is plain JavaScript: the loaders and flags that the main thread was started with are not for it.
    const worker = new Worker(this.#entry, { execArgv: [] });
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    this.#started = false;
    const ready = new Promise<void>((resolve, reject) => {
      worker.on("message", (reply: Reply) => {
        if (reply.kind !== "ready") return this.#settle(reply);
        this.providers = reply.providers;
        const graphs = [...this.#held.values()].map((load) => this.give(load));
        Promise.all(graphs).then(() => resolve(this.#open()), reject);
      });
      let cause: unknown;
      worker.on("error", (error) => {
        cause = error;
      });
      worker.on("exit", (code) => {
        const reason = cause instanceof Error ? cause.message : `code ${code}`;
        const death = new SenseError("RUNTIME_FAILED", `a worker thread of the runtime died: ${reason}`, {
          hint: "The window it worked on is lost; the thread is started again.",
          cause,
        });
        reject(death);
        this.#died(death);
      });
    });
    ready.catch((error: SenseError) => this.#giveUp(error));
    return { worker, ready, ended };
  }

  #open(): void {
    this.#started = true;
    if (this.#pending.size === 0) this.#worker.unref();
    this.#onRoom();
  }

  #settle(reply: Exclude<Reply, { kind: "ready" }>): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if (reply.kind === "done") pending?.resolve(reply.answer);
    else pending?.reject(new SenseError(reply.failure.code, reply.failure.message, hintOf(reply.failure.hint)));
    this.#onRoom();
  }

  /** A thread that never came to stand would die again: `ready` has rejected, and gives the lane up. */
  #died(death: SenseError): void {
    const stood = this.#started;
    this.#started = false;
    this.#failPending(death);
    if (this.#closed !== undefined || !stood) return;
    ({ worker: this.#worker, ready: this.#ready, ended: this.#ended } = this.#start());
  }

  #giveUp(error: SenseError): void {
    this.#closed ??= error;
    this.#failPending(error);
    this.#onRoom();
  }

  #failPending(error: SenseError): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

const hintOf = (hint: string | undefined) => (hint === undefined ? {} : { hint });
