import type { Duration } from "../core/time.js";

/** Resolves after `span`, or at once when the signal is aborted. */
export function pause(span: Duration, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, span / 1e3);
    signal.addEventListener("abort", done, { once: true });
  });
}
