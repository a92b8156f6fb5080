import { cosine, normalize } from "../../core/embedding.js";
import type { Modality } from "../../core/modality.js";
import { seeded } from "../../core/random.js";
import { sizeOf, tensor } from "../../core/tensor.js";
import type { Clock } from "../../core/time.js";
import type { Bundle } from "../bundle.js";
import { clipShape } from "../golden.js";
import type { Feeds, Runtime } from "../runtime.js";
import { LoadedTower } from "../tower.js";

/** How one tower of a bundle compares with the same tower of another. */
export interface Comparison {
  readonly modality: Modality;
  /** Least and mean cosine of the two unit vectors, over the inputs tried. */
  readonly cosine: { readonly least: number; readonly mean: number };
  /** Shortest time of one input through the tower, in milliseconds. */
  readonly before: number;
  readonly after: number;
}

export interface CompareOptions {
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** Inputs a tower; noise, or for text sentences. */
  readonly inputs?: number;
}

const sentences = [
  "a dog is barking",
  "rain on a tin roof",
  "somebody falls down the stairs",
  "an empty kitchen at night",
  "the washing machine is running",
  "a red car drives past the house",
];

async function feedsFor(bundle: Bundle, modality: Modality, index: number): Promise<Feeds> {
  const { preprocess } = bundle.tower(modality);
  if (preprocess.kind === "text") return bundle.tokenize([sentences[index % sentences.length]!]);
  const random = seeded(100 + index);
  const dims = clipShape(preprocess);
  return {
    [preprocess.input]: tensor(
      dims,
      Float32Array.from({ length: sizeOf(dims) }, () => 2 * random() - 1),
    ),
  };
}

/** Runs the towers that both bundles have on the same inputs, one row at a time, turn and turn about. */
export async function compareBundles(
  before: Bundle,
  after: Bundle,
  { runtime, clock, inputs = 6 }: CompareOptions,
): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  const load = (bundle: Bundle, modality: Modality): Promise<LoadedTower> =>
    LoadedTower.load(bundle.tower(modality), runtime, { dir: bundle.dir, dim: bundle.manifest.dim, session: {} });
  for (const modality of Object.keys(before.manifest.towers) as Modality[]) {
    if (after.manifest.towers[modality] === undefined) continue;
    const shortest = [Infinity, Infinity];
    const cosines: number[] = [];
    await using first = await load(before, modality);
    await using second = await load(after, modality);
    for (let i = 0; i < inputs; i++) {
      const vectors = [];
      for (const [which, tower] of [first, second].entries()) {
        const feeds = await feedsFor(before, modality, i);
        const start = clock.now();
        const [row] = await tower.rows(feeds);
        // The first run of a graph allocates; it is no measure.
        if (i > 0) shortest[which] = Math.min(shortest[which]!, (clock.now() - start) / 1e3);
        vectors.push(normalize(row!));
      }
      cosines.push(cosine(vectors[0]!, vectors[1]!));
    }
    const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
    comparisons.push({
      modality,
      cosine: { least: Math.min(...cosines), mean },
      before: shortest[0]!,
      after: shortest[1]!,
    });
  }
  return comparisons;
}
