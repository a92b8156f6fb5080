import { limits } from "./limits.js";

/** Times in ascending order, oldest at `head`; it doubles up to `limits.count`, then the oldest is forgotten. */
export interface Ring {
  times: Float64Array;
  head: number;
  size: number;
}

export function ringOf(times: readonly number[]): Ring {
  const ring: Ring = { times: new Float64Array(4), head: 0, size: 0 };
  for (const time of times) push(ring, time);
  return ring;
}

/** Adds the newest time. */
export function push(ring: Ring, time: number): void {
  const { length } = ring.times;
  if (ring.size === length && length < limits.count) {
    const larger = new Float64Array(Math.min(length * 2, limits.count));
    for (let i = 0; i < ring.size; i++) larger[i] = ring.times[(ring.head + i) % length]!;
    ring.times = larger;
    ring.head = 0;
  }
  if (ring.size === ring.times.length) {
    ring.head = (ring.head + 1) % ring.times.length;
    ring.size--;
  }
  ring.times[(ring.head + ring.size) % ring.times.length] = time;
  ring.size++;
}

/** The times, oldest first. */
export const timesOf = ({ times, head, size }: Ring): number[] =>
  Array.from({ length: size }, (_, i) => times[(head + i) % times.length]!);
