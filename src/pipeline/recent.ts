import type { Embedding } from "../core/embedding.js";
import { type Duration, minutes } from "../core/time.js";

/** How far back a sensor's windows are remembered, and how many of them at most. */
const kept = { span: minutes(10), windows: 1200 } as const;

/** The newest windows of each sensor as vectors: what was just perceived can still be given a name. */
export class Recent {
  readonly #windows = new Map<string, Embedding[]>();

  add(embedding: Embedding): void {
    const windows = this.#windows.get(embedding.sensor) ?? [];
    windows.push(embedding);
    const oldest = embedding.to - kept.span;
    while (windows.length > kept.windows || windows[0]!.from < oldest) windows.shift();
    this.#windows.set(embedding.sensor, windows);
  }

  /** The windows within the last so much event time of a sensor, at least the newest one, and those that have nothing of it. */
  split(
    sensor: string,
    last: Duration,
  ): { readonly within: readonly Embedding[]; readonly before: readonly Embedding[] } {
    const windows = this.#windows.get(sensor) ?? [];
    const newest = windows.at(-1);
    if (!newest) return { within: [], before: [] };
    const since = newest.to - last;
    const inside = windows.filter(({ from }) => from >= since);
    return {
      within: inside.length > 0 ? inside : [newest],
      before: windows.filter(({ to }) => to <= Math.min(since, newest.from)),
    };
  }
}
