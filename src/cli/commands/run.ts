import type { Command } from "commander";
import type { Config } from "../../config.js";
import { parseDuration } from "../../core/duration.js";
import type { HealthChange } from "../../pipeline/news.js";
import { run as runNode } from "../../pipeline/run.js";
import { openLiveCalibrations } from "../calibrate/live.js";
import { systemClock, untilStopped } from "../edge.js";
import { type LoadedConfig, loadConfig } from "../load-config.js";
import { jsonOption } from "../options.js";
import { packageVersion } from "../package.js";
import { stderrLog } from "../pino.js";
import { printJson, printLine } from "../print.js";
import { showResult } from "../show.js";
import { summaryText, Tally } from "../tally.js";
import { configChanges } from "../watch-config.js";

export interface RunFlags {
  readonly duration?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  /** The configuration's file: when it changes, its concepts and rules are taken over. */
  readonly watch?: string;
}

export function register(program: Command): void {
  program
    .command("run")
    .description("the main job on the configured sensors and broker, until a signal")
    .argument("<config.yaml>", "the configuration")
    .option("--duration <d>", "stop after this long, for instance 20s")
    .addOption(jsonOption())
    .action(async (path: string, flags: RunFlags, command: Command) => {
      await runLoaded(await loadConfig(path), { ...command.optsWithGlobals<RunFlags>(), ...flags, watch: path });
    });
}

/** Runs a configuration and prints events and alerts as they come, then what it came to. */
export async function runLoaded({ config, folder, folders }: LoadedConfig, flags: RunFlags): Promise<void> {
  const { json = false, verbose = false } = flags;
  const duration = flags.duration === undefined ? undefined : parseDuration(flags.duration);
  const tally = new Tally();
  const clock = systemClock();
  const signal = untilStopped(duration);
  const log = stderrLog({ verbose });
  const edge = {
    signal,
    clock,
    log,
    ...(flags.watch !== undefined && { changes: configChanges(flags.watch, { signal, log }) }),
    folder,
    folders,
    version: await packageVersion(),
    environment: process.env,
    calibrations: openLiveCalibrations,
  };
  let began = clock.now();
  for await (const message of runNode(config, edge)) {
    tally.add(message);
    showResult(message, { json });
    if (message.kind === "open") {
      began = clock.now();
      if (message.notice !== undefined) process.stderr.write(`${message.notice}\n`);
      process.stderr.write(`${openText(config, message.broker)}\n`);
      for (const [sensor, camera] of Object.entries(message.unbound)) {
        process.stderr.write(`${unboundText(config, { sensor, camera })}\n`);
      }
    }
    if (message.kind === "health") process.stderr.write(`${healthText(message)}\n`);
    if (message.kind === "closed" && !message.sent) {
      process.stderr.write("the broker did not take everything in time; what is left is sent by the next run\n");
    }
  }
  const summary = tally.summary((clock.now() - began) / 1e6);
  json ? printJson({ summary }) : printLine(summaryText(summary));
}

/** `camera is absent: …`: a node without its sensors must not look like a quiet one. */
function healthText({ sensor, health: { state, reason } }: HealthChange): string {
  return `${sensor} is ${state}${reason === undefined ? "" : `: ${reason}`}`;
}

/** A sensor that says nothing because it cannot yet must not look like a quiet one. */
const unboundText = (
  { node }: Config,
  { sensor, camera }: { readonly sensor: string; readonly camera: string },
): string =>
  `${sensor} has no encoder yet: the command calibrate/start ({"sensor":"${sensor}"} to sensebind/${node}/command/calibrate/start) ` +
  `lets it learn beside ${camera}`;

function openText({ node, sensors }: Config, broker: string): string {
  const url = new URL(broker);
  const host = `-h ${url.hostname} -p ${url.port || "1883"}`;
  return `node ${node}: ${Object.keys(sensors).join(", ")} on ${broker}; look on with: mosquitto_sub ${host} -v -t 'sensebind/${node}/#'`;
}
