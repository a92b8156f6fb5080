import type { Command } from "commander";
import { SenseError } from "../../core/errors.js";
import { type Micros, micros } from "../../core/time.js";
import { explain, explanationLines } from "../../rules/explain.js";
import type { Input } from "../../rules/input.js";
import { windowLength } from "../../rules/length.js";
import { engine } from "../../rules/save.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";
import { group } from "../program.js";
import { loadRulesFile, type RulesFlags } from "../rules-file.js";
import { traceFile } from "../trace-file.js";

interface Flags extends RulesFlags {
  readonly at: string;
  readonly rule?: string;
}

export function register(program: Command): void {
  group(program, "rules", "temporal rules over events")
    .command("explain")
    .description("tells what each sub-expression of the rules is at a time of a trace")
    .argument("<rules.yaml>")
    .argument("<events.jsonl>", "a trace, one event a line")
    .requiredOption(
      "--at <time>",
      "µs since the Unix epoch, a date such as 2026-11-24T08:30:00Z, or +90s from the first event",
    )
    .option("--rule <id>", "only this rule")
    .option("--config <c.yaml>", "the configuration whose sensors and concepts may be named")
    .addOption(jsonOption())
    .action(explainTrace);
}

async function explainTrace(path: string, trace: string, flags: Flags): Promise<void> {
  const read = await loadRulesFile(path, flags);
  if (!read) return;
  const rules = read.compiled.rules.filter(({ rule }) => flags.rule === undefined || rule.id === flags.rule);
  if (rules.length === 0) {
    const known = read.rules.map(({ id }) => id).join(", ");
    throw new SenseError("BAD_ARGUMENT", `there is no rule "${flags.rule}"`, { hint: `Rules: ${known || "none"}.` });
  }
  const inputs: Input[] = [];
  for await (const input of traceFile(trace)) inputs.push(input);
  const at = timeOf(flags.at, Math.min(...inputs.map(timeAt)));
  const running = engine(read.compiled, read.patience);
  for (const input of inputs) if (timeAt(input) <= at) running.push(input);
  running.push({ kind: "stop", at });
  for (const rule of rules) {
    const explained = explain(running, rule);
    if (flags.json) printJson({ rule: rule.rule.id, at, ...explained });
    else printLine(`${rule.rule.id}\n${explanationLines(explained, 1).join("\n")}`);
  }
}

function timeAt(input: Input): number {
  if (input.kind === "event") return input.event.at;
  return input.kind === "end" ? Number.POSITIVE_INFINITY : input.at;
}

function timeOf(text: string, start: number): Micros {
  if (text.startsWith("+")) return micros(start + windowLength(text.slice(1)));
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text) * 1e3;
  if (Number.isSafeInteger(time)) return micros(time);
  throw new SenseError("BAD_ARGUMENT", `"${text}" is no time`, {
    hint: "Give µs since the Unix epoch, a date such as 2026-11-24T08:30:00Z, or +90s from the first event.",
  });
}
