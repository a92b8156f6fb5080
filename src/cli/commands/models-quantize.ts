import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { openBundle } from "../../encoder/bundle.js";
import { compareBundles } from "../../encoder/import/compare.js";
import { quantizeBundle } from "../../encoder/import/quantize.js";
import { workerRuntime } from "../../encoder/worker-runtime.js";
import { bundleDir } from "../bundles.js";
import { systemClock } from "../edge.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";
import { group } from "../program.js";

interface Flags {
  readonly out: string;
  readonly precision: "int8" | "fp16";
  readonly json?: boolean;
}

export function register(program: Command): void {
  group(program, "models", "bundles of encoders")
    .command("quantize")
    .description("a smaller and faster copy of a bundle; reports how far its vectors are from the original's")
    .argument("<id or folder>", "a bundle")
    .requiredOption("--out <dir>", "folder of the new bundle")
    .addOption(new Option("--precision <precision>", "the new weights").choices(["int8", "fp16"]).default("int8"))
    .addOption(jsonOption())
    .action(quantize);
}

async function quantize(name: string, { out, precision, json }: Flags): Promise<void> {
  const dir = await bundleDir(name);
  await using runtime = await workerRuntime();
  const onProgress = (graph: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`${graph}\n`);
  };
  const graphs = await quantizeBundle(dir, { out: resolve(out), precision, runtime, onProgress });
  await using before = await openBundle(dir, runtime);
  await using after = await openBundle(resolve(out), runtime);
  const towers = await compareBundles(before, after, { runtime, clock: systemClock() });
  if (json) return printJson({ dir: resolve(out), precision, graphs, towers });
  printLine(`${resolve(out)}  ${after.manifest.title}`);
  for (const { modality, cosine, before: was, after: is } of towers) {
    const speed = `${was.toFixed(1)} ms -> ${is.toFixed(1)} ms (${(was / is).toFixed(2)} times as fast)`;
    printLine(
      `  ${modality.padEnd(8)} cosine least ${cosine.least.toFixed(5)}, mean ${cosine.mean.toFixed(5)}; ${speed}`,
    );
  }
}
