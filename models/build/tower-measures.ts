import { cosine, normalize, type UnitVector } from "../../src/core/embedding.js";

/** A file of the evaluation: the vectors of its windows and the number of its true label. */
export interface Judged {
  readonly vectors: readonly UnitVector[];
  readonly label: number;
}

export interface Accuracy {
  readonly accuracy: number;
  readonly balanced: number;
  readonly perLabel: readonly number[];
  readonly files: number;
}

/** The direction of the mean of a file's windows: what `classify` compares with words. */
export function ofFile({ vectors }: Judged): UnitVector {
  const sum = new Float64Array(vectors[0]!.length);
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!;
  return normalize(sum);
}

/** How often the nearest of the words is the right one. */
export function zeroShot(files: readonly Judged[], words: readonly UnitVector[]): Accuracy {
  const right = new Float64Array(words.length);
  const all = new Float64Array(words.length);
  for (const file of files) {
    const vector = ofFile(file);
    const cosines = words.map((word) => cosine(word, vector));
    all[file.label]!++;
    if (cosines.indexOf(Math.max(...cosines)) === file.label) right[file.label]!++;
  }
  const present = [...all.keys()].filter((label) => all[label]! > 0);
  const perLabel = Array.from(right, (count, label) => count / all[label]!);
  return {
    accuracy: right.reduce((a, b) => a + b) / files.length,
    balanced: present.reduce((sum, label) => sum + perLabel[label]!, 0) / present.length,
    perLabel,
    files: files.length,
  };
}

/** Mean and deviation of the cosine of windows with words that have nothing to do with them. */
export function backgroundOf(
  vectors: readonly UnitVector[],
  words: readonly UnitVector[],
): { mean: number; deviation: number } {
  let [sum, squares, n] = [0, 0, 0];
  for (const vector of vectors)
    for (const word of words) {
      const x = cosine(vector, word);
      sum += x;
      squares += x * x;
      n++;
    }
  return { mean: sum / n, deviation: Math.sqrt(squares / n - (sum / n) ** 2) };
}

/** The factor on cosines whose softmax over the words is least surprised by the true labels. */
export function bestLogitScale(files: readonly Judged[], words: readonly UnitVector[]): number {
  const cosines = files.map((file) => ({ label: file.label, row: words.map((word) => cosine(word, ofFile(file))) }));
  const surprise = (scale: number): number =>
    cosines.reduce((sum, { label, row }) => {
      const top = Math.max(...row);
      return sum + Math.log(row.reduce((z, x) => z + Math.exp(scale * (x - top)), 0)) - scale * (row[label]! - top);
    }, 0);
  const scales = Array.from({ length: 60 }, (_, i) => i + 1);
  return scales.reduce((best, scale) => (surprise(scale) < surprise(best) ? scale : best));
}

/** Puts whole groups into folds so that each label is spread evenly: the largest groups first. */
export function groupFolds(
  groups: readonly { readonly group: string; readonly label: number }[],
  folds: number,
): Map<string, number> {
  const sizes = new Map<string, { label: number; size: number }>();
  for (const { group, label } of groups) {
    const entry = sizes.get(group) ?? { label, size: 0 };
    sizes.set(group, { label, size: entry.size + 1 });
  }
  const filled = new Map<string, number>();
  const out = new Map<string, number>();
  for (const [group, { label, size }] of [...sizes].sort((a, b) => b[1].size - a[1].size || (a[0] < b[0] ? -1 : 1))) {
    const load = (fold: number): number => filled.get(`${label}.${fold}`) ?? 0;
    const fold = Array.from({ length: folds }, (_, i) => i).reduce((best, i) => (load(i) < load(best) ? i : best));
    filled.set(`${label}.${fold}`, load(fold) + size);
    out.set(group, fold);
  }
  return out;
}

export interface AskedAlone {
  /** How often a concept that is there is recognised, mean over the concepts. */
  readonly recall: number;
  /** How often one that is not there is. */
  readonly falseRate: number;
}

/**
 * Each word asked for by itself, as a user's concept is: it is recognised where its cosine is above that of unrelated content by two
 * deviations and above that of every background word that does not mean the same.
 */
export function askedAlone(
  files: readonly Judged[],
  words: readonly UnitVector[],
  { floor, rivals }: { readonly floor: number; readonly rivals: readonly UnitVector[] },
): AskedAlone {
  const shares = words.map((word, label) => {
    const against = rivals.filter((rival) => cosine(rival, word) < 0.7);
    const seen = files.map((file) => {
      const vector = ofFile(file);
      const rival = against.reduce((most, one) => Math.max(most, cosine(one, vector)), floor);
      return { there: file.label === label, recognised: cosine(word, vector) > rival };
    });
    const share = (list: typeof seen): number => list.filter(({ recognised }) => recognised).length / list.length;
    return { recall: share(seen.filter(({ there }) => there)), falseRate: share(seen.filter(({ there }) => !there)) };
  });
  const present = shares.filter(({ recall }) => !Number.isNaN(recall));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return { recall: mean(present.map(({ recall }) => recall)), falseRate: mean(present.map((one) => one.falseRate)) };
}
