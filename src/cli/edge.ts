import { type Clock, type Duration, micros } from "../core/time.js";

/** The host's clock: wall time at the start, advanced by the monotonic clock, so that a step of the wall clock moves no event. */
export function systemClock(): Clock {
  return { now: () => micros((performance.timeOrigin + performance.now()) * 1e3) };
}

/** A signal that comes with SIGINT, SIGTERM, or after a time. */
export function untilStopped(duration?: Duration): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  if (duration !== undefined) setTimeout(stop, duration / 1e3).unref();
  return controller.signal;
}
