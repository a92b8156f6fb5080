import type { Command } from "commander";
import { parseDuration } from "../../core/duration.js";
import { merge } from "../../core/stream.js";
import { recordReadings } from "../../device/record.js";
import { openSensors } from "../../pipeline/sensors.js";
import { systemClock, untilStopped } from "../edge.js";
import { loadConfig } from "../load-config.js";
import { stderrLog } from "../pino.js";
import { printLine } from "../print.js";

interface Flags {
  readonly out: string;
  readonly duration?: string;
  readonly verbose?: boolean;
}

export function register(program: Command): void {
  program
    .command("record")
    .description("records the raw readings of the configured sensors, crash-safe")
    .argument("<config.yaml>", "the configuration")
    .requiredOption("--out <f.mcap>", "the recording")
    .option("--duration <d>", "stop after this long, for instance 10m")
    .action((path: string, flags: Flags, command: Command) =>
      record(path, { ...command.optsWithGlobals<Flags>(), ...flags }),
    );
}

async function record(path: string, { out, duration, verbose = false }: Flags): Promise<void> {
  const { config, folder } = await loadConfig(path);
  const signal = untilStopped(duration === undefined ? undefined : parseDuration(duration));
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(), { once: true });
  const edge = { signal: stop.signal, clock: systemClock(), log: stderrLog({ verbose }), folder };
  const { readings } = await openSensors(config, edge);
  const sensors = Object.fromEntries(
    Object.entries(config.sensors).map(([id, { modality, device }]) => [id, { modality, device }]),
  );
  await using recorder = await recordReadings(out, { node: config.node, sensors });
  const counts: Record<string, number> = {};
  for await (const reading of merge([...readings.values()], () => stop.abort())) {
    await recorder.write(reading);
    counts[reading.sensor] = (counts[reading.sensor] ?? 0) + 1;
  }
  await recorder.finish();
  const text = Object.keys(sensors).map((sensor) => `${sensor} ${counts[sensor] ?? 0}`);
  printLine(`${out}: readings of ${text.join(", ")}`);
}
