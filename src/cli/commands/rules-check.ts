import type { Command } from "commander";
import { print } from "../../rules/print.js";
import { condition } from "../../rules/rule.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";
import { group } from "../program.js";
import { loadRulesFile, type RulesFlags } from "../rules-file.js";

export function register(program: Command): void {
  group(program, "rules", "temporal rules over events")
    .command("check")
    .description("reports every problem of a file of rules, with line, column and a suggestion")
    .argument("<rules.yaml>", "a file with a `rules:` section, a whole configuration too")
    .option("--config <c.yaml>", "the configuration whose sensors and concepts may be named")
    .addOption(jsonOption())
    .action(checkFile);
}

async function checkFile(path: string, flags: RulesFlags): Promise<void> {
  const read = await loadRulesFile(path, flags);
  if (!read) return;
  if (flags.json) {
    printJson({ rules: read.rules.map((rule) => ({ id: rule.id, condition: print(condition(rule)) })) });
  } else printLine(`${path}: ${read.rules.length} rule${read.rules.length === 1 ? "" : "s"}, no problem`);
}
