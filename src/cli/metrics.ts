import { cosine, type UnitVector } from "../core/embedding.js";

export interface ClassReport {
  readonly n: number;
  readonly accuracy: number;
}

export interface ZeroShotReport {
  readonly accuracy: number;
  /** Mean of the classes' own accuracies: a class with many files does not drown one with few. */
  readonly balancedAccuracy: number;
  readonly n: number;
  readonly perClass: Readonly<Record<string, ClassReport>>;
}

/** Accuracy of predicted labels; classes are the true labels that occur. */
export function zeroShotReport(pairs: readonly { readonly truth: string; readonly label: string }[]): ZeroShotReport {
  const perClass: Record<string, ClassReport> = {};
  for (const truth of new Set(pairs.map((pair) => pair.truth))) {
    const own = pairs.filter((pair) => pair.truth === truth);
    perClass[truth] = { n: own.length, accuracy: share(own, ({ label }) => label === truth) };
  }
  const accuracies = Object.values(perClass).map(({ accuracy }) => accuracy);
  return {
    accuracy: share(pairs, ({ truth, label }) => truth === label),
    balancedAccuracy: accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length,
    n: pairs.length,
    perClass,
  };
}

export interface RetrievalReport {
  readonly "recall@1": number;
  readonly "recall@5": number;
  readonly "recall@10": number;
  /** Rank of the true partner, 1 being best; half of the queries do at least as well. */
  readonly medianRank: number;
  readonly n: number;
}

/** How well each query finds the candidate of its own index. Ties count against it: a constant vector finds nothing. */
export function retrievalReport(queries: readonly UnitVector[], candidates: readonly UnitVector[]): RetrievalReport {
  const ranks = queries.map((query, own) => {
    const similarity = cosine(query, candidates[own]!);
    return candidates.filter((other, i) => i === own || cosine(query, other) >= similarity).length;
  });
  const within = (k: number) => share(ranks, (rank) => rank <= k);
  return {
    "recall@1": within(1),
    "recall@5": within(5),
    "recall@10": within(10),
    medianRank: median(ranks),
    n: ranks.length,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const share = <T>(items: readonly T[], is: (item: T) => boolean): number => items.filter(is).length / items.length;
