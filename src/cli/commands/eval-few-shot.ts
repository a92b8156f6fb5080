import { type Command, InvalidArgumentError, Option } from "commander";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import { seeded } from "../../core/random.js";
import { type Example, fewShotAccuracy } from "../../space/few-shot.js";
import { withBundle } from "../bundles.js";
import { encodeFiles } from "../encode-files.js";
import { readList } from "../lists.js";
import { type EncodingFlags, encodingOptions, parseModality } from "../options.js";
import { printJson, printLine, progress } from "../print.js";
import { group } from "../program.js";
import { Skipped } from "../skipped.js";

interface Flags extends EncodingFlags {
  readonly shots: readonly number[];
  readonly draws: number;
  readonly seed: number;
}

export function register(program: Command): void {
  const command = group(program, "eval", "how well a bundle does on your own files")
    .command("few-shot")
    .description("accuracy of a classifier taught by a few examples of each label")
    .argument("<modality>", "vision, audio, depth, thermal, imu or other", parseModality)
    .argument("<list.csv>", "files and their labels, header file,label")
    .requiredOption("--shots <1,2,4,8>", "examples of each label, one or several numbers", parseShots)
    .addOption(new Option("--draws <n>", "how often the examples are drawn anew").default(10).argParser(parseCount))
    .addOption(new Option("--seed <n>", "the same seed, the same draws").default(1).argParser(parseCount));
  encodingOptions(command).action(evaluate);
}

async function evaluate(modality: Modality, listPath: string, flags: Flags): Promise<void> {
  const list = await readList(listPath);
  if (modality === "text") {
    throw new SenseError("BAD_ARGUMENT", "few-shot takes files of a sensor, not words", {
      hint: "Name a sensor's modality.",
    });
  }
  await withBundle({ bundle: flags.bundle, many: list.length > 8 }, async (bundle) => {
    const skipped = new Skipped(flags);
    const examples: Example[] = [];
    const paths = list.map(({ path }) => path);
    for await (const result of encodeFiles(bundle, paths, { modality, ...flags })) {
      const { label } = list[examples.length + skipped.count]!;
      if ("error" in result) skipped.add(result.error);
      else examples.push({ label, vector: result.encoded.vector });
      progress(examples.length + skipped.count, list.length);
    }
    skipped.finish(examples.length);
    if (examples.length === 0) return;
    const { draws, seed } = flags;
    const reports = flags.shots.map((shots) => ({
      shots,
      ...fewShotAccuracy(examples, { shots, draws, random: seeded(seed) }),
    }));
    if (flags.json) {
      return printJson({ shots: Object.fromEntries(reports.map(({ shots, ...report }) => [shots, report])) });
    }
    for (const { shots, accuracy, std } of reports) {
      printLine(`${shots} shots: ${(100 * accuracy).toFixed(1)}% ± ${(100 * std).toFixed(1)} over ${draws} draws`);
    }
  });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError("Use a whole number of at least 1.");
}

function parseShots(text: string): readonly number[] {
  return [...new Set(text.split(",").map((part) => parseCount(part.trim())))];
}
