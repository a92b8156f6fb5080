import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { SenseError } from "../../core/errors.js";
import { type TowerName, towers } from "../../encoder/import/imagebind/layout.js";
import { importModel } from "../../encoder/import/import-model.js";
import { type Precision, precisions } from "../../encoder/import/quantize.js";
import { workerRuntime } from "../../encoder/worker-runtime.js";
import { untilStopped } from "../edge.js";
import { jsonOption } from "../options.js";
import { packageFile } from "../package.js";
import { printJson, printLine, progress } from "../print.js";
import { group } from "../program.js";

interface Flags {
  readonly out: string;
  readonly config?: string;
  readonly modalities?: readonly TowerName[];
  readonly precision: readonly Precision[];
  readonly json?: boolean;
}

/** `a,b` as members of a closed list, each once. */
function listOf<T extends string>(allowed: readonly T[]): (text: string) => T[] {
  return (text) => {
    const items = [...new Set(text.split(",").map((item) => item.trim()))];
    const unknown = items.find((item) => !allowed.some((name) => name === item));
    if (unknown === undefined) return items as T[];
    throw new InvalidArgumentError(`"${unknown}" is none of ${allowed.join(", ")}.`);
  };
}

export function register(program: Command): void {
  group(program, "models", "bundles of encoders")
    .command("import")
    .description(
      "make a bundle of an ImageBind checkpoint, or of a folder of ONNX models in the transformers.js layout",
    )
    .argument("<checkpoint or folder>", "a .pth, .pt, .bin or .safetensors file, or a folder with vision_model.onnx")
    .requiredOption("--out <dir>", "folder of the new bundle; with several precisions, the others get -fp16 or -int8")
    .option("--config <c.json>", "the model's arguments, for a model that is not imagebind_huge")
    .addOption(new Option("--modalities <list>", "only these, separated by commas").argParser(listOf(towers)))
    .addOption(
      new Option("--precision <list>", `${precisions.join(", ")}, separated by commas`)
        .default(["fp32"] as Precision[], "fp32")
        .argParser(listOf(precisions)),
    )
    .addOption(jsonOption())
    .action(importCommand);
}

async function importCommand(source: string, flags: Flags): Promise<void> {
  const { out, config, modalities, precision, json } = flags;
  if (precision.length === 0) {
    throw new SenseError("BAD_ARGUMENT", "--precision names no precision", {
      hint: "Write for instance --precision fp32,int8.",
    });
  }
  await using runtime = await workerRuntime();
  const bundles = await importModel(resolve(source), {
    out: resolve(out),
    precisions: precision,
    vocabulary: packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz"),
    runtime,
    config,
    modalities,
    signal: untilStopped(),
    onProgress: ({ done, total }) => progress(Math.round(done / 1e6), Math.round(total / 1e6)),
  });
  const notice = bundles[0]?.manifest.licence.notice;
  if (notice !== undefined) process.stderr.write(`${notice}\n`);
  for (const { dir, precision: made, manifest } of bundles) {
    const modalitiesMade = Object.keys(manifest.towers);
    const { id, licence } = manifest;
    if (json) printJson({ dir, precision: made, id, modalities: modalitiesMade, licence });
    else printLine(`${dir}  ${manifest.title}: ${modalitiesMade.join(", ")}; ${manifest.licence.spdx}`);
  }
}
