import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { Config } from "../../config.js";
import { minutes } from "../../core/time.js";
import { readManifest } from "../../encoder/manifest-file.js";
import { bundleDir } from "../bundles.js";
import { lookAtBoard, lookAtClock, lookAtDisk, lookAtMemory, lookAtPower, thisMachine } from "../doctor/board.js";
import { lookAtSensors, lookForDevices } from "../doctor/devices.js";
import { type Examination, examine, type Finding, ok } from "../doctor/finding.js";
import { lookAtBundle, lookAtRuntime } from "../doctor/models.js";
import { lookAtBroker, lookAtOutbox } from "../doctor/wire.js";
import { type LoadedConfig, loadConfig } from "../load-config.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";

/** Read where no file is named. */
const usualFile = "sensebind.yaml";
/** Failures of these are the configuration's. */
const ofFile: ReadonlySet<string> = new Set(["configuration", "sensors"]);

export function register(program: Command): void {
  program
    .command("doctor")
    .description("board, power, memory, runtimes, bundle, broker, outbox, devices: each ok, warning or failure")
    .argument("[config.yaml]", `the configuration; ${usualFile} where there is one, else the defaults`)
    .addOption(jsonOption())
    .action(doctor);
}

async function doctor(given: string | undefined, { json = false }: { readonly json?: boolean }): Promise<void> {
  const findings: Finding[] = [];
  for await (const finding of diagnose(given ?? (existsSync(usualFile) ? usualFile : undefined))) {
    findings.push(finding);
    if (!json) show(finding);
  }
  const failed = findings.filter(({ state }) => state === "failure");
  if (json) printJson({ ok: failed.length === 0, findings });
  if (failed.length > 0) process.exitCode = failed.some(({ subject }) => ofFile.has(subject)) ? 2 : 1;
}

/** Everything that can be looked at; with a configuration that is none, what does not depend on it. */
async function* diagnose(path: string | undefined): AsyncGenerator<Finding> {
  let loaded: LoadedConfig | undefined;
  yield* await examine({
    subject: "configuration",
    look: async () => {
      loaded = path === undefined ? undefined : await loadConfig(path);
      return ok(path === undefined ? `none is given: the defaults are looked at` : `${path} is valid`);
    },
  });
  const known = loaded ?? (path === undefined ? await defaults() : undefined);
  for (const examination of [...ofMachine(), ...(known === undefined ? [] : ofNode(known))])
    yield* await examine(examination);
}

async function defaults(): Promise<LoadedConfig> {
  const config = Config.parse({ sensors: {} });
  return { config, folder: ".", folders: { bundle: await bundleDir(config.bundle), state: config.state } };
}

function ofMachine(): readonly Examination[] {
  return [
    { subject: "board", look: () => lookAtBoard(thisMachine) },
    { subject: "power", look: () => lookAtPower(thisMachine) },
    { subject: "clock", look: async () => lookAtClock(new Date()) },
    { subject: "devices", look: lookForDevices },
  ];
}

function ofNode({ config, folder, folders }: LoadedConfig): readonly Examination[] {
  const environment = process.env;
  return [
    { subject: "sensors", look: () => lookAtSensors(config, folder) },
    { subject: "memory", look: async () => lookAtMemory(thisMachine, await bundleBytes(folders.bundle)) },
    { subject: "disk", look: () => lookAtDisk(folders.state, config.publish.maxMegabytes * 2 ** 20) },
    { subject: "runtime", within: minutes(1), look: () => lookAtRuntime(config.runtime) },
    // TensorRT builds its engine when a model is loaded, which takes minutes.
    { subject: "bundle", within: minutes(10), look: () => lookAtBundle(folders.bundle, config.runtime) },
    { subject: "broker", look: (signal) => lookAtBroker(config, { environment, signal }) },
    { subject: "outbox", look: () => lookAtOutbox(join(folders.state, "outbox")) },
  ];
}

async function bundleBytes(dir: string): Promise<number> {
  const { files } = await readManifest(dir);
  return Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
}

function show({ subject, state, code, message, hint }: Finding): void {
  printLine(`${state.padEnd(8)} ${subject.padEnd(14)} ${code === undefined ? "" : `${code}: `}${message}`);
  if (hint !== undefined) printLine(`${"".padEnd(24)}hint: ${hint}`);
}
