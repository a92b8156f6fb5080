import type { Command } from "commander";
import * as z from "zod";
import { RulesFile } from "../../rules/source.js";
import { printLine } from "../print.js";
import { group } from "../program.js";

export function register(program: Command): void {
  group(program, "rules", "temporal rules over events")
    .command("schema")
    .description("prints the JSON Schema of a file of rules, for editors")
    .action(() => printLine(JSON.stringify(z.toJSONSchema(RulesFile, { io: "input" }), null, 2)));
}
