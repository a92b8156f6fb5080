import { seeded } from "../core/random.js";
import type { Duration } from "../core/time.js";

export interface BackoffOptions {
  readonly first: Duration;
  readonly longest: Duration;
  /** Nodes with different names do not all come back to a restarted broker at the same instant. */
  readonly name: string;
}

/** Waits before each new try: doubling from `first` to `longest`, each shortened by up to a half by chance. */
export function* backoff({ first, longest, name }: BackoffOptions): Generator<Duration, never> {
  const random = seeded([...name].reduce((sum, char) => Math.imul(sum, 31) + char.charCodeAt(0), 7));
  for (let wait = first; ; wait = Math.min(wait * 2, longest) as Duration) {
    yield (wait * (1 - random() / 2)) as Duration;
  }
}
