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
  | { readonly kind: "release"; readonly session: number }
  /** Gives up all graphs and ends the thread, after what was asked before. */
  | { readonly kind: "close" };

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

/** Tensors that can be sent, and the buffers that change hands with them. */
export interface Parcel {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly buffers: readonly ArrayBuffer[];
}

/**
 * Makes tensors ready to move. One that owns the whole of its buffer gives it away; a view into a larger buffer is copied
 * first: nothing else is taken from the buffer's owner, and the rest of it does not travel along.
 */
export function pack(tensors: Readonly<Record<string, Tensor>>): Parcel {
  const packed = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, whole(tensor)]));
  const buffers = new Set(Object.values(packed).map(({ data }) => data.buffer as ArrayBuffer));
  return { tensors: packed, buffers: [...buffers] };
}

function whole({ dims, data }: Tensor): Tensor {
  const owns = data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength;
  return { dims, data: owns ? data : data.slice() };
}
