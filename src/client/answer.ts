import { type ErrorCode, errorTable, SenseError } from "../core/errors.js";
import type { Duration } from "../core/time.js";

/** A command's id, by which its reply is known: 64 random bits, in hexadecimal. */
export function newId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const unanswered = (node: string, name: string, deadline: Duration): SenseError =>
  new SenseError("COMMAND_TIMEOUT", `${node} did not answer ${name} within ${deadline / 1e6} s`, {
    hint: "Is the node online, and are its commands on? Its status topic says the first.",
  });

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** The error that a node replied with; `COMMAND_FAILED` where its code is of a later release. */
export function errorOf({ code, message, hint }: Refusal): SenseError {
  const known = Object.hasOwn(errorTable, code) ? (code as ErrorCode) : "COMMAND_FAILED";
  return new SenseError(known, message, hint === undefined ? {} : { hint });
}
