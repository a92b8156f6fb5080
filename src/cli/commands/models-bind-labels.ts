import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import { Recipe } from "../../core/recipe.js";
import { importClassifier } from "../../encoder/import/classifier.js";
import { workerRuntime } from "../../encoder/worker-runtime.js";
import { bundleDir } from "../bundles.js";
import { bundleOption, checkLabels, jsonOption, parseModality } from "../options.js";
import { printJson, printLine } from "../print.js";
import { group } from "../program.js";

interface Flags {
  readonly bundle: string;
  readonly out: string;
  readonly labelsFile: string;
  readonly recipe: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  group(program, "models", "bundles of encoders")
    .command("bind-labels")
    .description("join any ONNX classifier to a bundle's space, by the words that its classes are called (ConSE)")
    .argument("<modality>", "what the classifier takes", parseModality)
    .argument("<classifier.onnx>", "a graph with one output a class")
    .requiredOption("--labels-file <l.txt>", "names of the classes, one a line, in the order of the output")
    .requiredOption("--recipe <r.json>", "how its input is made: a `preprocess` of a manifest")
    .requiredOption("--out <dir>", "folder of the new bundle")
    .addOption(bundleOption())
    .addOption(jsonOption())
    .action(bindLabels);
}

async function bindLabels(modality: Modality, path: string, flags: Flags): Promise<void> {
  const labels = checkLabels((await readFile(flags.labelsFile, "utf8")).split(/\r?\n/));
  const options = {
    base: await bundleDir(flags.bundle),
    modality,
    recipe: await readRecipe(flags.recipe),
    labels,
    out: resolve(flags.out),
  };
  await using runtime = await workerRuntime();
  const { id, title, towers, licence } = await importClassifier(resolve(path), { ...options, runtime });
  const modalities = Object.keys(towers);
  if (flags.json) return printJson({ dir: options.out, id, title, modalities, licence });
  printLine(`${options.out}  ${title}: ${modalities.join(", ")}; ${licence.spdx}`);
}

async function readRecipe(path: string): Promise<Recipe> {
  const text = await readFile(path, "utf8");
  try {
    return Recipe.parse(JSON.parse(text));
  } catch (cause) {
    throw new SenseError("BAD_CONFIG", `${path} is no recipe`, {
      hint: 'look at a `preprocess` in models/nano/manifest.json: {"kind": "waveform", "input": …}',
      cause,
    });
  }
}
