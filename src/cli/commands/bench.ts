import type { Command } from "commander";
import { deviceFigures, timerFigures, towerFigures, wordFigures } from "../bench/flow.js";
import { ruleFigures, vectorFigures } from "../bench/meaning.js";
import { withBundle } from "../bundles.js";
import { bundleOption, jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";

interface Flags {
  readonly bundle: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command("bench")
    .description("this machine's figures for each stage of the flow")
    .addOption(bundleOption())
    .addOption(jsonOption())
    .action(bench);
}

async function bench({ bundle: name, json }: Flags): Promise<void> {
  await withBundle({ bundle: name, threads: 1 }, async (bundle) => {
    const measured = [];
    for (const figures of [
      deviceFigures(),
      towerFigures(bundle),
      wordFigures(bundle),
      timerFigures(bundle),
      vectorFigures(bundle.manifest.dim),
      ruleFigures(),
    ]) {
      for await (const figure of figures) {
        measured.push(figure);
        const { stage, what, value, unit } = figure;
        if (!json)
          printLine(`${stage.padEnd(8)} ${Number(value.toPrecision(3)).toString().padStart(8)} ${unit}  ${what}`);
      }
    }
    if (json) printJson({ bundle: bundle.manifest.id, figures: measured });
  });
}
