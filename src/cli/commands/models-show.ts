import type { Command } from "commander";
import type { Modality } from "../../core/modality.js";
import type { Training } from "../../core/training.js";
import type { Manifest, Tower } from "../../encoder/manifest.js";
import { readManifest, towerFiles } from "../../encoder/manifest-file.js";
import { spaceOf } from "../../encoder/space-id.js";
import { bundleDir } from "../bundles.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";
import { group } from "../program.js";

export function register(program: Command): void {
  group(program, "models", "bundles of encoders")
    .command("show")
    .description("what is in a bundle, and the space it encodes to")
    .argument("<id or folder>", "a bundle")
    .addOption(jsonOption())
    .action(show);
}

async function show(name: string, { json }: { readonly json?: boolean }): Promise<void> {
  const dir = await bundleDir(name);
  const manifest = await readManifest(dir);
  const space = spaceOf(manifest);
  if (json) return printJson({ ...manifest, space, dir });
  const { id, version, title, licence, dim, towers, training, sensors = {} } = manifest;
  printLine(`${id} ${version}: ${title}`);
  printLine(`folder   ${dir}`);
  printLine(`space    ${space}, ${dim} dimensions`);
  printLine(`licence  ${licence.spdx}${licence.nonCommercial ? ", not for commercial use" : ""}`);
  if (licence.notice !== undefined) printLine(`notice   ${licence.notice}`);
  const line = (what: string, tower: Tower, trained: Training | undefined): void =>
    printLine(
      `${what.padEnd(8)} ${tower.graphs.join(" + ")} (${size(manifest, tower)}), ${tower.preprocess.kind}${trainedIn(trained)}`,
    );
  for (const [modality, tower] of Object.entries(towers) as [Modality, Tower][]) {
    line(modality, tower, training?.[modality]);
  }
  for (const [sensor, tower] of Object.entries(sensors)) {
    line(`${sensor} (${tower.modality}, for this sensor alone)`, tower, tower.training);
  }
}

/** What `calibrate` trains of it, in short. */
function trainedIn(training: Training | undefined): string {
  const { head, lora, encoder, camera } = training ?? {};
  const parts = [
    ...(encoder === undefined ? [] : [`encoder ${encoder.kind}`]),
    ...(camera === undefined ? [] : ["the camera's encoder"]),
    ...(lora === undefined ? [] : [`lora ${lora.rank}`]),
    ...(head === undefined ? [] : ["head"]),
  ];
  return parts.length === 0 ? "" : `; training: ${parts.join(" and ")}`;
}

function size({ files }: Manifest, tower: Tower): string {
  const bytes = towerFiles({ files }, tower).reduce((sum, file) => sum + files[file]!.bytes, 0);
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
