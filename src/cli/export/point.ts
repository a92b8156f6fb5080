import { createHash } from "node:crypto";
import type { Stored } from "../../space/store/stored.js";

/** Points that go to a database in one request. */
export const batchSize = 256;

/** An id that is the same for the same embedding, so that sending it again changes nothing: a UUID (RFC 9562, version 8). */
export function pointId(space: string, { sensor, modality, seq, from, to }: Stored): string {
  const hash = createHash("sha256").update([space, sensor, modality, seq, from, to].join("\n")).digest("hex");
  const variant = ((Number.parseInt(hash[16]!, 16) & 3) | 8).toString(16);
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    variant + hash.slice(17, 20),
    hash.slice(20, 32),
  ].join("-");
}

/** A name for a space that databases take: letters, digits and `_`. */
export const nameOf = (space: string): string => `sensebind_${space.replace(/[^a-zA-Z0-9]+/g, "_").toLowerCase()}`;

/** Lists of at most `size` items. */
export function* batches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
