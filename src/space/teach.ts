import { cosine, normalize, type UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import { fitLinear, prototype } from "./few-shot.js";
import type { Level } from "./prompt.js";
import type { Taught } from "./taught.js";

export type Method = Taught["method"];

export interface TeachOptions {
  readonly method?: Method;
  /** Direction of the words for it: few examples are drawn towards it. */
  readonly words?: UnitVector | undefined;
  /** Windows that do not hold it, as the sensor usually perceives them. */
  readonly background?: readonly UnitVector[];
  /** Share of windows that hold it, for the expected precision: one in a hundred unless given. */
  readonly share?: number;
}

/** What a few examples teach, before it belongs to a space. */
export interface Lesson {
  readonly vector: UnitVector;
  readonly threshold?: number;
  readonly background?: Level & { readonly windows: number };
  readonly expected?: NonNullable<Taught["expected"]>;
}

/** Background windows below which nothing is said of a threshold or a precision. */
export const fewestWindows = 10;

/**
 * A concept from one example or a few. `prototype`: their mean, drawn towards the words; `linear`: logistic regression of
 * the examples against the background on frozen embeddings (ImageBind's few-shot protocol, arXiv 2305.05665). What is
 * below its threshold is rejected, however unlike the background it is. Throws `BAD_ARGUMENT`.
 */
export function teach(examples: readonly UnitVector[], given: TeachOptions = {}): Lesson {
  const background = thinned(given.background ?? []);
  const options = { ...given, background };
  const { share = 0.01 } = given;
  if (examples.length === 0) throw new SenseError("BAD_ARGUMENT", "a concept is taught by at least one example");
  const vector = directionOf(examples, options);
  if (background.length < fewestWindows) return { vector };
  const cosines = unseen(examples, options);
  const level = levelOf(cosines);
  const shown = leftOut(examples, options);
  const threshold = thresholdOf(cosines, shown, cosine(examples[0]!, vector));
  const fired = cosines.filter((value) => value >= threshold).length;
  // Half a count is added on both sides (Jeffreys): nothing seen to go wrong is not a promise that nothing will.
  const recall = (shown.filter((value) => value >= threshold).length + 0.5) / (shown.length + 1);
  const falsely = (fired + 0.5) / (cosines.length + 1);
  const precision = (share * recall) / (share * recall + (1 - share) * falsely);
  const expected = { precision, recall, share, falsely: { fired, windows: cosines.length } };
  return { vector, threshold, background: { ...level, windows: cosines.length }, expected };
}

/** Windows of background that are looked at: more than these change nothing but the time it takes. */
const most = 2000;

function thinned(windows: readonly UnitVector[]): readonly UnitVector[] {
  const step = Math.ceil(windows.length / most);
  return step <= 1 ? windows : windows.filter((_, i) => i % step === 0);
}

function directionOf(examples: readonly UnitVector[], { method = "prototype", words, background = [] }: TeachOptions) {
  if (method === "prototype") return prototype(examples, words);
  if (background.length < fewestWindows) {
    throw new SenseError(
      "BAD_ARGUMENT",
      `a linear classifier needs ${fewestWindows} windows of background, got ${background.length}`,
      { hint: "Give --background, or leave --method out." },
    );
  }
  // Each side weighs the same, however many windows of background there are.
  const shown = [...examples, ...(words ? [words] : [])];
  const weight = background.length / shown.length;
  const classifier = fitLinear([
    ...background.map((vector) => ({ label: "not here", vector })),
    ...shown.map((vector) => ({ label: "here", vector, weight })),
  ]);
  const { dim, weights } = classifier;
  return normalize(Array.from({ length: dim }, (_, i) => weights[i]! - weights[dim + 1 + i]!));
}

/** Cosines of each half of the background with what the other half and the examples taught. */
function unseen(examples: readonly UnitVector[], options: TeachOptions): number[] {
  const { background = [], method } = options;
  if (method !== "linear" || background.length < 2 * fewestWindows) {
    const vector = directionOf(examples, options);
    return background.map((window) => cosine(window, vector));
  }
  return [0, 1].flatMap((part) => {
    const half = background.filter((_, i) => i % 2 !== part);
    const vector = directionOf(examples, { ...options, background: half });
    return background.filter((_, i) => i % 2 === part).map((window) => cosine(window, vector));
  });
}

/** Cosine of each example with what the others taught; of a single one with what its words say, if there are any. */
function leftOut(examples: readonly UnitVector[], options: TeachOptions): number[] {
  if (examples.length === 1) {
    return options.words && options.method !== "linear" ? [cosine(examples[0]!, options.words)] : [];
  }
  return examples.map((example, i) =>
    cosine(
      example,
      directionOf(
        examples.filter((_, j) => j !== i),
        options,
      ),
    ),
  );
}

/** Share of the background below its usual upper end: two standard deviations of a normal distribution. */
const usual = 0.977;

/**
 * Its threshold is between the usual background and where the examples are: halfway, or a quarter of the way where a single
 * example does not say how much it varies.
 */
function thresholdOf(background: readonly number[], shown: readonly number[], only: number): number {
  const top = shown.length === 0 ? only : shown.reduce((sum, value) => sum + value, 0) / shown.length;
  const upper = upperEnd(background, top);
  return upper + Math.max(0, top - upper) / (shown.length === 0 ? 4 : 2);
}

/**
 * The upper end of the usual background. Where that is nearer to the examples than to its own middle, the background holds the thing itself, and
 * what is up there is left out.
 */
function upperEnd(background: readonly number[], top: number): number {
  const middle = quantile(background, 0.5);
  const upper = quantile(background, usual);
  if (top <= middle || upper < (top + middle) / 2) return upper;
  return quantile(
    background.filter((value) => value < (top + middle) / 2),
    usual,
  );
}

function levelOf(cosines: readonly number[]): Level {
  const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
  const variance = cosines.reduce((sum, value) => sum + (value - mean) ** 2, 0) / cosines.length;
  return { mean, deviation: Math.max(Math.sqrt(variance), 1e-4) };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
