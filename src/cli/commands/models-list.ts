import type { Command } from "commander";
import { isSenseError } from "../../core/errors.js";
import { readManifest } from "../../encoder/manifest-file.js";
import { bundleDir, bundleIds } from "../bundles.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";
import { group } from "../program.js";
import { reportError } from "../report.js";

export function register(program: Command): void {
  group(program, "models", "bundles of encoders")
    .command("list")
    .description("the bundles that are there")
    .addOption(jsonOption())
    .action(list);
}

async function list({ json }: { readonly json?: boolean }): Promise<void> {
  const found = [];
  for (const id of await bundleIds()) {
    try {
      const { title, version, dim, towers, licence, files } = await readManifest(await bundleDir(id));
      const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
      found.push({ id, title, version, dim, modalities: Object.keys(towers), licence: licence.spdx, bytes });
    } catch (error) {
      // The others are still of use; a defect of ours is not hidden.
      if (!isSenseError(error, "BAD_BUNDLE")) throw error;
      reportError(error);
    }
  }
  if (json) return printJson(found);
  for (const { id, title, dim, modalities, licence, bytes } of found) {
    printLine(`${id}  ${title}`);
    printLine(`  ${modalities.join(", ")}; ${dim} dimensions; ${(bytes / 1e6).toFixed(1)} MB; ${licence}`);
  }
}
