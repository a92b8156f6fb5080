import { setTimeout as wait } from "node:timers/promises";
import { type Duration, s } from "../../core/time.js";
import { asSenseError } from "../report.js";

/** One thing that the doctor looked at. */
export interface Finding {
  readonly subject: string;
  readonly state: "ok" | "warning" | "failure";
  /** A sentence with the values. */
  readonly message: string;
  readonly code?: string;
  /** What to do. */
  readonly hint?: string;
  /** The values, for programs. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** What a look at something gives beside its subject, which the examination knows. */
export type Seen = Omit<Finding, "subject">;

export interface Examination {
  readonly subject: string;
  /** Time for the look; one that takes longer is a failure and is not waited for. */
  readonly within?: Duration;
  readonly look: (signal: AbortSignal) => Promise<Seen | readonly Seen[]>;
}

export const ok = (message: string, facts?: Finding["facts"]): Seen => ({
  state: "ok",
  message,
  ...(facts === undefined ? {} : { facts }),
});

export const warning = (message: string, hint: string, facts?: Finding["facts"]): Seen => ({
  state: "warning",
  message,
  hint,
  ...(facts === undefined ? {} : { facts }),
});

/** A thrown error as something seen. */
export function failure(error: unknown): Seen {
  const { code, message, hint } = asSenseError(error);
  return { state: "failure", code, message, ...(hint === undefined ? {} : { hint }) };
}

/** Looks at one thing. It never throws and never takes longer than it may. */
export async function examine({ subject, within = s(10), look }: Examination): Promise<Finding[]> {
  const late = new AbortController();
  const answered = new AbortController();
  const expired = wait(within / 1e3, undefined, { signal: answered.signal }).then(
    () => late.abort(),
    () => {},
  );
  const tooLate = expired.then((): Seen => {
    return { state: "failure", message: `no answer within ${within / 1e6} s`, hint: "Look at it by itself." };
  });
  const seen = await Promise.race([look(late.signal).catch(failure), tooLate]);
  answered.abort();
  return [seen].flat().map((one) => ({ subject, ...one }));
}
