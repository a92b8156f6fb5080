import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { parse } from "yaml";
import { SenseError } from "../../core/errors.js";
import { compile } from "../../rules/compile.js";
import { type Difference, runTrial, TrialFile } from "../../rules/trial.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";
import { group } from "../program.js";
import { loadRulesFile, type RulesFlags, readText } from "../rules-file.js";

export function register(program: Command): void {
  group(program, "rules", "temporal rules over events")
    .command("test")
    .description("runs a file of tests: traces as diagrams and the alerts they must give")
    .argument("<tests.yaml>")
    .option("--config <c.yaml>", "the configuration whose sensors and concepts may be named")
    .addOption(jsonOption())
    .action(testFile);
}

async function testFile(path: string, flags: RulesFlags): Promise<void> {
  const { rules, unit, tests } = parseTests(await readText(path), path);
  const loaded =
    typeof rules === "string"
      ? await loadRulesFile(resolve(dirname(path), rules), flags)
      : { compiled: compile(rules), patience: {} };
  if (!loaded) return;
  let failed = 0;
  for (const [name, trial] of Object.entries(tests)) {
    const differences = runTrial(loaded.compiled, trial, { unit, patience: loaded.patience });
    if (differences.length > 0) failed++;
    if (flags.json) printJson({ test: name, passed: differences.length === 0, differences });
    else printLine([`${differences.length === 0 ? "ok  " : "FAIL"} ${name}`, ...differences.map(drawn)].join("\n"));
  }
  if (!flags.json) printLine(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

const drawn = ({ rule, expected, actual }: Difference): string =>
  `     ${rule}\n       expected  ${expected}\n       actual    ${actual}`;

function parseTests(text: string, path: string): TrialFile {
  const parsed = TrialFile.safeParse(parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SenseError("BAD_CONFIG", `${path}: ${issue?.path.join(".") || "the file"}: ${issue?.message}`, {
    hint: "docs/rules.md shows the form of a file of tests.",
  });
}
