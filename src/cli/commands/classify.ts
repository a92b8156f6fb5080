import { type Command, Option } from "commander";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import { withBundle } from "../bundles.js";
import { encodeFiles } from "../encode-files.js";
import { readLabels } from "../lists.js";
import { type EncodingFlags, encodingOptions, parseModality } from "../options.js";
import { printJson, progress } from "../print.js";
import { Skipped } from "../skipped.js";
import { zeroShot } from "../zero-shot.js";

interface Flags extends EncodingFlags {
  readonly labels?: string;
  readonly labelsFile?: string;
}

export function register(program: Command): void {
  const command = program
    .command("classify")
    .description("which of the given words fits each file best")
    .argument("<modality>", "vision, audio, depth, thermal, imu or other", parseModality)
    .argument("<files...>", "files of that modality")
    .addOption(new Option("--labels <a,b,c>", "the words").conflicts("labelsFile"))
    .option("--labels-file <file>", "the words, one a line");
  encodingOptions(command).action(classify);
}

async function classify(modality: Modality, files: readonly string[], flags: Flags): Promise<void> {
  const labels = await readLabels(flags.labels, flags.labelsFile);
  if (modality === "text") {
    throw new SenseError("BAD_ARGUMENT", "words cannot be classified by words", { hint: "Name a sensor's modality." });
  }
  await withBundle({ bundle: flags.bundle, many: files.length > 8 }, async (bundle) => {
    const classifier = await zeroShot(bundle, modality, labels);
    const skipped = new Skipped(flags);
    let used = 0;
    for await (const result of encodeFiles(bundle, files, { modality, ...flags })) {
      if ("error" in result) skipped.add(result.error);
      else {
        used += 1;
        const { label, score, scores, known } = classifier(result.encoded.vector);
        printJson({ source: result.path, label, score, scores, known });
      }
      progress(used + skipped.count, files.length);
    }
    skipped.finish(used);
  });
}
