import { readdirSync } from "node:fs";
import { join } from "node:path";
import { normalize, type UnitVector } from "../../core/embedding.js";
import { seeded } from "../../core/random.js";
import { Centroids, train } from "./centroids.js";
import { quantize, strideOf } from "./codes.js";
import { readIndex, type SegmentIndex, writeIndex } from "./index-file.js";
import { exactBytes } from "./search.js";
import { Segment } from "./segment.js";

/** Vectors that a list's middle is learned from. */
const samplesPerList = 32;

export interface BuildOptions {
  readonly dim: number;
  /** Codes of a store up to this size need no lists. */
  readonly flatBytes?: number;
  readonly seed?: number;
  /** Told after each segment. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Writes what is missing of a store's index: the centroids where the store is large, and the index of each sealed segment.
 * What is there and fits is left alone, so that it can be called again after every new segment. It keeps one core busy:
 * call it in a thread of its own (`indexInBackground`).
 */
export function buildIndex(folder: string, options: BuildOptions): void {
  const { dim, onProgress } = options;
  const names = readdirSync(folder).filter((name) => name.endsWith(".rows"));
  // The last segment may be under way.
  const sealed = names
    .sort()
    .slice(0, -1)
    .map((name) => Segment.open(join(folder, name.slice(0, -".rows".length)), dim));
  const centroids = centroidsFor(folder, sealed, options);
  for (const [i, segment] of sealed.entries()) {
    if (readIndex(segment)?.centroids !== (centroids?.id ?? 0)) writeIndex(segment, indexOf(segment, centroids));
    onProgress?.(i + 1, sealed.length);
  }
}

/** Lists of a store: twice the square root of its rows, so that as many centroids as rows of a few lists are looked at. */
const listsFor = (rows: number): number => 2 ** Math.round(Math.log2(2 * Math.sqrt(rows)));

/** Those that are there, unless the store has outgrown them; undefined for a store that needs none. */
function centroidsFor(
  folder: string,
  sealed: readonly Segment[],
  { dim, flatBytes = exactBytes, seed = 1 }: BuildOptions,
): Centroids | undefined {
  const rows = sealed.reduce((sum, { count }) => sum + count, 0);
  const known = Centroids.load(folder, dim);
  const wanted = listsFor(rows);
  if (known && known.count * 4 > wanted) return known;
  if (rows * strideOf(dim) <= flatBytes || rows < wanted) return undefined;
  const random = seeded(seed);
  const made = train(sampleOf(sealed, Math.min(rows, wanted * samplesPerList), random), wanted, random);
  made.save(folder);
  return made;
}

/** Vectors from all over the store. */
function sampleOf(segments: readonly Segment[], count: number, random: () => number): readonly UnitVector[] {
  const rows = segments.reduce((sum, segment) => sum + segment.count, 0);
  return segments.flatMap((segment) => {
    const vectors = segment.vectors();
    const share = Math.round((count * segment.count) / rows);
    return Array.from({ length: share }, () => {
      const row = Math.floor(random() * segment.count);
      return normalize(vectors.subarray(row * segment.dim, (row + 1) * segment.dim));
    });
  });
}

/** The rows of a segment as int8, list after list. */
function indexOf(segment: Segment, centroids: Centroids | undefined): SegmentIndex {
  const { count, dim } = segment;
  const vectors = segment.vectors();
  const vector = (row: number): UnitVector => vectors.subarray(row * dim, (row + 1) * dim) as UnitVector;
  const listOf = Uint32Array.from({ length: count }, (_, row) => centroids?.nearest(vector(row)) ?? 0);
  const lists = new Uint32Array((centroids?.count ?? 1) + 1);
  for (const list of listOf) lists[list + 1]! += 1;
  for (let list = 1; list < lists.length; list++) lists[list]! += lists[list - 1]!;
  const next = lists.slice();
  const stride = strideOf(dim);
  const order = new Uint32Array(count);
  const [scales, errors] = [new Float32Array(count), new Float32Array(count)];
  const codes = new Int8Array(count * stride);
  for (let row = 0; row < count; row++) {
    const place = next[listOf[row]!]!;
    next[listOf[row]!] = place + 1;
    const { scale, error } = quantize(vector(row), codes.subarray(place * stride, (place + 1) * stride));
    [order[place], scales[place], errors[place]] = [row, scale, error];
  }
  return { centroids: centroids?.id ?? 0, lists, order, scales, errors, codes };
}
