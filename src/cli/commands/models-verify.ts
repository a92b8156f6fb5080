import type { Command } from "commander";
import { SenseError } from "../../core/errors.js";
import { verifyBundle } from "../../encoder/verify.js";
import { withBundle } from "../bundles.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";
import { group } from "../program.js";

export function register(program: Command): void {
  group(program, "models", "bundles of encoders")
    .command("verify")
    .description("compares a bundle's files with their hashes and its vectors with the golden ones")
    .argument("<id or folder>", "a bundle")
    .addOption(jsonOption())
    .action(verify);
}

async function verify(name: string, { json }: { readonly json?: boolean }): Promise<void> {
  await withBundle({ bundle: name }, async (bundle) => {
    const { ok, files, golden } = await verifyBundle(bundle);
    const damaged = files.filter((file) => !file.ok).map(({ file }) => file);
    const wrong = golden.filter((result) => !result.ok);
    if (!ok) {
      const what =
        damaged.length > 0 ? `${damaged.join(", ")} differs from its hash` : `${wrong.length} golden vectors differ`;
      throw new SenseError("BAD_BUNDLE", `${bundle.dir}: ${what}`, { hint: "Get the bundle again." });
    }
    if (json) return printJson({ ok, space: bundle.space, files, golden });
    printLine(`${bundle.manifest.id}: ${files.length} files as they should be`);
    for (const { modality, cosine } of golden) printLine(`  ${modality.padEnd(8)} cosine ${cosine.toFixed(6)}`);
  });
}
