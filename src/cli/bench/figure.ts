/** One measured number of one stage of the flow. */
export interface Figure {
  readonly stage: "device" | "window" | "encoder" | "space" | "rules" | "publish";
  readonly what: string;
  readonly value: number;
  readonly unit: "ms" | "µs" | "per second";
}

const span = 300;

/** Median time of a piece of work in ms, repeated for 0.3 s and at least five times after a warm-up. */
export async function medianMs(work: () => Promise<unknown> | unknown): Promise<number> {
  await work();
  const times: number[] = [];
  const end = performance.now() + span;
  while (times.length < 5 || performance.now() < end) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
