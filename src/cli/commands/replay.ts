import type { Command } from "commander";
import type { ReplayReport } from "../../device/replay.js";
import { replay } from "../../pipeline/replay.js";
import { Store } from "../../space/store/store.js";
import { systemClock, untilStopped } from "../edge.js";
import { loadConfig } from "../load-config.js";
import { jsonOption } from "../options.js";
import { showResult } from "../show.js";
import { summaryText, Tally } from "../tally.js";

interface Flags {
  readonly config: string;
  readonly store?: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command("replay")
    .description("runs the pipeline on a recording as fast as it goes; the same recording gives the same bytes")
    .argument("<recording.mcap>", "made by `sensebind record`")
    .requiredOption("--config <c.yaml>", "the configuration")
    .option("--store <folder>", "keeps the embeddings for `search`, as after a change of bundle")
    .addOption(jsonOption())
    .action(replayFile);
}

async function replayFile(path: string, { config: configPath, store: folder, json = false }: Flags): Promise<void> {
  const { config, folders } = await loadConfig(configPath);
  const clock = systemClock();
  const began = clock.now();
  const tally = new Tally();
  let store: Store | undefined;
  for await (const message of replay(path, config, { signal: untilStopped(), folders, onReport: damageText })) {
    tally.add(message);
    if (folder !== undefined && message.kind === "embedding") {
      const { space, vector } = message.embedding;
      store ??= Store.open(folder, { id: space, dim: vector.length });
      store.add(message.embedding);
    }
    showResult(message, { json });
  }
  store?.flush();
  // How long it took differs from run to run, so it is no result.
  process.stderr.write(`${summaryText(tally.summary((clock.now() - began) / 1e6))}\n`);
}

function damageText(sensor: string, { readings, damage }: ReplayReport): void {
  if (damage) process.stderr.write(`${sensor}: ${damage.reason}; ${readings} readings before it were used\n`);
}
