import type { ErrorCode } from "../core/errors.js";
import type { Tensor } from "../core/tensor.js";
import type { Signature } from "./queued-session.js";
import type { Feeds, SessionOptions } from "./runtime.js";

/** A graph to be held by a worker; `session` is a number that the main thread chose. */
export interface Load {
  readonly kind: "load";
  readonly session: number;
  readonly path: string;
  readonly options: SessionOptions;
}

/** What the main thread asks of a worker. */
export type Order =
  | Load
  | { readonly kind: "run"; readonly session: number; readonly feeds: Feeds }
  | { readonly kind: "release"; readonly session: number };

export type Request = Order & { readonly id: number };

/** An error as it crosses between threads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
}

/** What a worker answers: a signature to `load`, outputs to `run`, nothing to `release`. */
export type Answer = Signature | Readonly<Record<string, Tensor>> | undefined;

/** The first message of a worker says what it can run on; every other answers the request of that id. */
export type Reply =
  | { readonly kind: "ready"; readonly providers: readonly string[] }
  | { readonly kind: "done"; readonly id: number; readonly answer: Answer }
  | { readonly kind: "failed"; readonly id: number; readonly failure: Failure };

/**
 * The buffers of tensors that can change hands: each once, and only where the tensor owns the whole of it (a view into
 * a larger buffer is copied by the message instead, so that nothing else is taken from its owner).
 */
export function transferable(tensors: Readonly<Record<string, Tensor>>): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of Object.values(tensors)) {
    if (data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength) buffers.add(data.buffer);
  }
  return [...buffers];
}
