import { type Command, InvalidArgumentError, Option } from "commander";
import { SenseError } from "../core/errors.js";
import { Modality, modalities } from "../core/modality.js";

/** An argument that names a modality. */
export function parseModality(text: string): Modality {
  const parsed = Modality.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`Use one of ${modalities.join(", ")}.`);
}

export const bundleOption = (): Option =>
  new Option("--bundle <id or folder>", "the bundle that encodes").default("nano");

export const jsonOption = (): Option => new Option("--json", "machine-readable output on stdout");

/** How a file of samples is to be read where it does not say itself. */
export interface SeriesFlags {
  readonly rate?: number;
  readonly scale?: readonly number[];
}

const rateOption = (): Option =>
  new Option("--rate <hz>", "samples a second of .npy files").argParser((text) => {
    const rate = Number(text);
    if (rate > 0 && Number.isFinite(rate)) return rate;
    throw new InvalidArgumentError("Use a number of samples a second, such as 200.");
  });

const scaleOption = (): Option =>
  new Option("--scale <factors>", "what raw values are multiplied with: one number, or one a channel").argParser(
    (text) => {
      const factors = text.split(",").map(Number);
      if (factors.every((factor) => Number.isFinite(factor) && factor !== 0)) return factors;
      throw new InvalidArgumentError("Use numbers separated by commas.");
    },
  );

/** What every command has that encodes files. */
export interface EncodingFlags extends SeriesFlags {
  readonly bundle: string;
  readonly json?: boolean;
}

export const encodingOptions = (command: Command): Command =>
  command.addOption(bundleOption()).addOption(rateOption()).addOption(scaleOption()).addOption(jsonOption());

/** An option that may be given several times. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** Labels from `--labels "a,b,c"` or one a line from a file's text. Throws `BAD_ARGUMENT` for none or for one given twice. */
export function checkLabels(given: readonly string[]): readonly string[] {
  const labels = given.map((label) => label.trim()).filter((label) => label !== "");
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (labels.length > 0 && twice === undefined) return labels;
  throw new SenseError(
    "BAD_ARGUMENT",
    twice === undefined ? "no labels were given" : `the label "${twice}" is given twice`,
    {
      hint: 'Give --labels "dog,cat,car" or --labels-file with one label a line.',
    },
  );
}
