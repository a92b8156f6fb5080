import type { Command } from "commander";
import type { ReplayReport } from "../../device/replay.js";
import { replay } from "../../pipeline/replay.js";
import { systemClock, untilStopped } from "../edge.js";
import { loadConfig } from "../load-config.js";
import { jsonOption } from "../options.js";
import { showResult } from "../show.js";
import { summaryText, Tally } from "../tally.js";

interface Flags {
  readonly config: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command("replay")
    .description("runs the pipeline on a recording as fast as it goes; the same recording gives the same bytes")
    .argument("<recording.mcap>", "made by `sensebind record`")
    .requiredOption("--config <c.yaml>", "the configuration")
    .addOption(jsonOption())
    .action(replayFile);
}

async function replayFile(path: string, { config: configPath, json = false }: Flags): Promise<void> {
  const { config, folders } = await loadConfig(configPath);
  const clock = systemClock();
  const began = clock.now();
  const tally = new Tally();
  for await (const message of replay(path, config, { signal: untilStopped(), folders, onReport: damageText })) {
    tally.add(message);
    showResult(message, { json });
  }
  // How long it took differs from run to run, so it is no result.
  process.stderr.write(`${summaryText(tally.summary((clock.now() - began) / 1e6))}\n`);
}

function damageText(sensor: string, { readings, damage }: ReplayReport): void {
  if (damage) process.stderr.write(`${sensor}: ${damage.reason}; ${readings} readings before it were used\n`);
}
