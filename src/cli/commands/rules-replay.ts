import type { Command } from "commander";
import { nearest } from "../../core/suggest.js";
import type { Input } from "../../rules/input.js";
import type { Compiled } from "../../rules/program.js";
import { engine } from "../../rules/save.js";
import { anySensor, lostConcept } from "../../rules/world.js";
import { jsonOption } from "../options.js";
import { printJson } from "../print.js";
import { group } from "../program.js";
import { loadRulesFile, type RulesFlags } from "../rules-file.js";
import { traceFile } from "../trace-file.js";

export function register(program: Command): void {
  group(program, "rules", "temporal rules over events")
    .command("replay")
    .description("prints the alerts that rules give for a trace of events, JSON lines")
    .argument("<rules.yaml>")
    .argument("<events.jsonl>", "a trace, one event a line; - for stdin")
    .option("--config <c.yaml>", "the configuration whose sensors and concepts may be named")
    .addOption(jsonOption())
    .action(replayTrace);
}

async function replayTrace(path: string, trace: string, flags: RulesFlags): Promise<void> {
  const read = await loadRulesFile(path, flags);
  if (!read) return;
  const running = engine(read.compiled, read.patience);
  const seen = new Set<string>();
  let inputs = 0;
  let alerts = 0;
  const tell = (input: Input) => {
    for (const alert of running.push(input)) {
      printJson(alert);
      alerts++;
    }
  };
  for await (const input of traceFile(trace)) {
    inputs++;
    if (input.kind === "event") seen.add(`${input.event.sensor}.${input.event.concept}`);
    tell(input);
  }
  tell({ kind: "end" });
  const dropped = Object.entries(running.dropped).filter(([, count]) => count > 0);
  const lost = dropped.map(([why, count]) => `, ${count} ${why}`).join("");
  process.stderr.write(`${inputs} messages, ${alerts} alert messages${lost}\n`);
  warnOfUnseen(read.compiled, seen);
}

/** A name that never occurs in the trace is no error, but most often a slip. */
function warnOfUnseen({ slots }: Compiled, seen: ReadonlySet<string>): void {
  for (const { sensor, concept } of slots) {
    const name = `${sensor}.${concept}`;
    if (concept === lostConcept || seen.has(name)) continue;
    if (sensor === anySensor && [...seen].some((each) => each.endsWith(`.${concept}`))) continue;
    const near = nearest(name, seen);
    process.stderr.write(`${name} does not occur in the trace${near ? `; did you mean ${near}?` : ""}\n`);
  }
}
