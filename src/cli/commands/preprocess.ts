import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import { encodeNpy } from "../../core/npy.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Feeds } from "../../encoder/runtime.js";
import { withBundle } from "../bundles.js";
import { collect, type EncodingFlags, encodingOptions, parseModality } from "../options.js";
import { printJson, printLine } from "../print.js";
import { readInput } from "../read-input.js";
import { readWords } from "../read-words.js";
import { batchOf } from "../tensor-batch.js";

interface Flags extends EncodingFlags {
  readonly text?: readonly string[];
  readonly out: string;
}

export function register(program: Command): void {
  const command = program
    .command("preprocess")
    .description("the tensor that the encoder gets, as .npy: a batch of one, clip axis included")
    .argument("<modality>", "vision, text, audio, depth, thermal, imu or other", parseModality)
    .argument("[file]", "a file of that modality")
    .option("--text <words>", "words instead of a file; may be given several times", collect)
    .requiredOption("--out <t.npy>", "where the tensor is written");
  encodingOptions(command).action(preprocess);
}

async function preprocess(modality: Modality, file: string | undefined, flags: Flags): Promise<void> {
  if ((file === undefined) === (flags.text === undefined)) {
    throw new SenseError("BAD_ARGUMENT", "give either a file or --text", { hint: "sensebind preprocess --help" });
  }
  await withBundle({ bundle: flags.bundle }, async (bundle) => {
    const { preprocess: recipe } = bundle.tower(modality);
    const feeds = await feedsOf(bundle, modality, { file, flags });
    const clips = feeds[recipe.kind === "text" ? recipe.ids : recipe.input]!;
    const batch = batchOf(clips, recipe);
    await writeFile(flags.out, encodeNpy(batch));
    if (flags.json) printJson({ out: flags.out, shape: batch.dims });
    else printLine(`${flags.out}  [${batch.dims.join(", ")}]`);
  });
}

interface Given {
  readonly file: string | undefined;
  readonly flags: Flags;
}

async function feedsOf(bundle: Bundle, modality: Modality, { file, flags }: Given): Promise<Feeds> {
  if (modality === "text") return bundle.tokenize(flags.text ?? (await readWords([file!])));
  if (file === undefined) {
    throw new SenseError("BAD_ARGUMENT", `--text gives words, but the modality is ${modality}`, {
      hint: "sensebind preprocess text --text …",
    });
  }
  const { preprocess: recipe, window } = bundle.tower(modality);
  return readInput(file, { modality, recipe, hop: window?.hop, ...flags });
}
