import type { Command } from "commander";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import { withBundle } from "../bundles.js";
import { encodeFiles } from "../encode-files.js";
import { readLabels, readList } from "../lists.js";
import { zeroShotReport } from "../metrics.js";
import { type EncodingFlags, encodingOptions, parseModality } from "../options.js";
import { printJson, printLine, progress } from "../print.js";
import { group } from "../program.js";
import { Skipped } from "../skipped.js";
import { zeroShot } from "../zero-shot.js";

interface Flags extends EncodingFlags {
  readonly labelsFile: string;
}

export function register(program: Command): void {
  const command = group(program, "eval", "how well a bundle does on your own files")
    .command("zero-shot")
    .description("accuracy of naming files by words")
    .argument("<modality>", "vision, audio, depth, thermal, imu or other", parseModality)
    .argument("<list.csv>", "files and their labels, header file,label")
    .requiredOption("--labels-file <file>", "the words to choose from, one a line");
  encodingOptions(command).action(evaluate);
}

async function evaluate(modality: Modality, listPath: string, flags: Flags): Promise<void> {
  const labels = await readLabels(undefined, flags.labelsFile);
  const list = await readList(listPath);
  const unknown = list.find(({ label }) => !labels.includes(label));
  if (unknown !== undefined) {
    throw new SenseError(
      "BAD_ARGUMENT",
      `${listPath} has the label "${unknown.label}", which is not in ${flags.labelsFile}`,
      {
        hint: "Every label of the list must be one of the words to choose from.",
      },
    );
  }
  if (modality === "text")
    throw new SenseError("BAD_ARGUMENT", "words cannot be classified by words", { hint: "Name a sensor's modality." });
  await withBundle({ bundle: flags.bundle, many: list.length > 8 }, async (bundle) => {
    const classifier = await zeroShot(bundle, modality, labels);
    const skipped = new Skipped(flags);
    const pairs: { truth: string; label: string }[] = [];
    const paths = list.map(({ path }) => path);
    for await (const result of encodeFiles(bundle, paths, { modality, ...flags })) {
      const { label: truth } = list[pairs.length + skipped.count]!;
      if ("error" in result) skipped.add(result.error);
      else pairs.push({ truth, label: classifier(result.encoded.vector).label });
      progress(pairs.length + skipped.count, list.length);
    }
    skipped.finish(pairs.length);
    if (pairs.length === 0) return;
    const report = zeroShotReport(pairs);
    if (flags.json) return printJson(report);
    printLine(`accuracy ${percent(report.accuracy)}, balanced ${percent(report.balancedAccuracy)}, ${report.n} files`);
    for (const [label, { accuracy, n }] of Object.entries(report.perClass)) {
      printLine(`  ${percent(accuracy).padStart(6)}  ${label} (${n})`);
    }
  });
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
