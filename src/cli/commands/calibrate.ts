import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import type { Target } from "../../align/net/plan.js";
import type { CollectOptions } from "../../align/pairs/collect.js";
import { parseDuration } from "../../core/duration.js";
import { SenseError } from "../../core/errors.js";
import { Modality } from "../../core/modality.js";
import { type Bundle, openBundle } from "../../encoder/bundle.js";
import { bundleId } from "../../encoder/import/bundle-id.js";
import type { Runtime } from "../../encoder/runtime.js";
import { workerRuntime } from "../../encoder/worker-runtime.js";
import { bundleDir } from "../bundles.js";
import { breathing } from "../calibrate/board.js";
import { calibrate, forget } from "../calibrate/calibrate.js";
import { factsOf, type Words } from "../calibrate/facts.js";
import { gatherPairs, gatherRecording } from "../calibrate/gather.js";
import { undoInstalled } from "../calibrate/installed.js";
import { reportFile, writeOverlay } from "../calibrate/overlay.js";
import { recordFor } from "../calibrate/record-for.js";
import { untilStopped } from "../edge.js";
import { type LoadedConfig, loadConfig } from "../load-config.js";
import { collect, jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";

interface Flags {
  readonly with?: string;
  readonly config?: string;
  readonly duration?: string;
  readonly recording?: string;
  readonly pairs?: string;
  readonly out?: string;
  readonly bundle?: string;
  readonly train?: Target;
  readonly window?: string;
  readonly hop?: string;
  readonly tolerance?: string;
  readonly clockError?: string;
  readonly scenes?: number;
  readonly steps?: number;
  readonly time?: string;
  readonly share?: number;
  readonly seed: number;
  readonly word: readonly string[];
  readonly undo?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const whole = (text: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new SenseError("BAD_ARGUMENT", `"${text}" is no whole number above 0`);
};

const portion = (text: string): number => {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new SenseError("BAD_ARGUMENT", `"${text}" is no share above 0 and up to 1`);
};

export function register(program: Command): void {
  program
    .command("calibrate")
    .description("binds a sensor to the camera's space, by training on this machine")
    .argument("<sensor>", "a sensor of the configuration or recording; with --pairs its modality")
    .option("--with <camera>", "the camera that looks at the same place; with --pairs a column of the table")
    .option("--config <c.yaml>", "records both sensors live first")
    .option("--duration <d>", "how long to record", "20m")
    .option("--recording <f.mcap>", "a recording of both")
    .option("--pairs <pairs.csv>", "files that belong together, such as thermal,vision or imu,text")
    .option("--out <bundle dir>", "the bundle that is made")
    .option("--bundle <bundle>", "bundle that the sensor joins; the configuration's, or nano")
    .addOption(
      new Option(
        "--train <what>",
        "a head on the bundle's encoder, low-rank updates inside it, or a small encoder from nothing",
      ).choices(["head", "lora", "encoder"]),
    )
    .option("--window <d>", "length of the sensor's windows")
    .option("--hop <d>", "from one window to the next")
    .option("--tolerance <d>", "furthest apart that a window and a frame may be", "250ms")
    .option("--clock-error <d>", "how far the two clocks may be apart, if measured")
    .option("--scenes <n>", "distinct scenes that must have been seen; 40 unless given", whole)
    .option("--steps <n>", "training steps", whole)
    .option("--time <d>", "learn for no longer than this, and take what is best by then")
    .option("--share <p>", "share of one core, such as 0.5; waits while the board is hot or on battery", portion)
    .option("--seed <n>", "of the split and the training", whole, 1)
    .option("--word <words>", "words to check the sensor by; may be given several times", collect, [])
    .option("--undo", "go back to what a running node had before its last calibration: give --config")
    .addOption(jsonOption())
    .action((sensor: string, flags: Flags, command: Command) =>
      calibrateSensor(sensor, { ...command.optsWithGlobals<Flags>(), ...flags }),
    );
}

async function calibrateSensor(sensor: string, flags: Flags): Promise<void> {
  const loaded = flags.config === undefined ? undefined : await loadConfig(flags.config);
  if (flags.undo) return undo(sensor, loaded, flags);
  const { out } = flags;
  if (out === undefined) throw bad("--out is missing", "Name the folder of the bundle that is to be made.");
  if (flags.recording === undefined && flags.pairs === undefined && loaded === undefined) {
    throw bad("there is nothing to learn from", "Give --config to record now, --recording or --pairs.");
  }
  if (flags.pairs === undefined && flags.with === undefined) {
    throw bad("--with is missing", "Name the camera that looks at the same place.");
  }
  await refuseTaken(out);
  const signal = untilStopped();
  await using runtime = await workerRuntime({ workers: 1, threads: 1 });
  const dir =
    flags.bundle === undefined ? (loaded?.folders.bundle ?? (await bundleDir("nano"))) : await bundleDir(flags.bundle);
  await using bundle = await openBundle(dir, runtime);
  try {
    await bound(sensor, out, { flags, bundle, runtime, loaded, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    note(`stopped; what was learned is kept in ${workOf(out)}, and the same command goes on from there`);
    process.exitCode = 1;
  }
}

const workOf = (out: string): string => `${out}.calibrating`;

interface BoundParts extends GatherParts {
  readonly runtime: Runtime;
}

async function bound(sensor: string, out: string, { runtime, ...parts }: BoundParts): Promise<void> {
  const { flags, bundle, loaded, signal } = parts;
  const camera = flags.with ?? "vision";
  const gathered = await gather(sensor, camera, parts);
  if (flags.train !== undefined && flags.train !== "encoder")
    refuseWithoutTower(bundle, gathered.modality, flags.train);
  const target = flags.train ?? (bundle.manifest.towers[gathered.modality] === undefined ? "encoder" : "head");
  const work = workOf(out);
  const now = (): number => performance.now();
  const made = await calibrate(
    gathered,
    {
      ...{ sensor, camera, target, seed: flags.seed, signal, steps: flags.steps },
      ...(flags.time !== undefined && { time: parseDuration(flags.time) }),
      collect: collectOf(flags),
      onPairs: ({ train, heldOut, counts }) =>
        note(`${train.length} pairs of ${counts.scenes} scenes to learn from, ${heldOut.length} held out`),
      onProgress: ({ step, steps, loss, heldOut, secondsLeft }) =>
        note(
          `step ${step} of ${steps}: loss ${loss.toFixed(3)}, held-out recall@1 ${share(heldOut.at1)}, @5 ${share(heldOut.at5)}, ${Math.ceil(secondsLeft)} s left`,
        ),
    },
    {
      ...{ bundle, runtime, work, now },
      ...(flags.share !== undefined && { breathe: breathing({ share: flags.share, signal, now }) }),
    },
  );
  const facts = await factsOf(made, {
    sensor,
    camera,
    bundle,
    id: bundleId(out),
    words: wordsOf(flags, loaded),
    seed: flags.seed,
  });
  const manifest = await writeOverlay(made, { bundle, runtime, out, facts });
  await forget(work);
  const { recall, pairs } = facts;
  if (flags.json) {
    const { before, after, chance } = recall;
    return printJson({
      bundle: manifest.id,
      space: facts.bundle.space,
      out,
      sensor,
      with: camera,
      trained: facts.trained,
      pairs: { train: pairs.train, heldOut: pairs.heldOut, scenes: pairs.scenes },
      recall: {
        before: before ? { at1: before.at1, at5: before.at5 } : null,
        after: { at1: after.at1, at5: after.at5 },
        chance,
      },
      answers: facts.answers,
      seconds: facts.seconds,
      report: join(out, reportFile(made.modality)),
    });
  }
  const was = recall.before
    ? `${share(recall.before.at1)} and ${share(recall.before.at5)} before`
    : "there was no encoder before";
  printLine(`${sensor} is bound to ${camera}: ${facts.trained}`);
  printLine(
    `held-out recall@1 ${share(recall.after.at1)}, @5 ${share(recall.after.at5)} of ${pairs.heldOut} pairs (${was}; guessing ${share(recall.chance.at1)} and ${share(recall.chance.at5)})`,
  );
  for (const { concept, camera: seen, sensor: sensed, both } of facts.answers) {
    printLine(`  ${concept}: the camera saw it in ${seen} held-out windows, the sensor in ${sensed}, both in ${both}`);
  }
  printLine(`bundle ${out}; open ${join(out, reportFile(made.modality))} in a browser`);
}

function refuseWithoutTower(bundle: Bundle, modality: Modality, target: Target): void {
  if (bundle.manifest.towers[modality] !== undefined) return;
  throw new SenseError(
    "MODALITY_UNSUPPORTED",
    `bundle ${bundle.manifest.id} has no ${modality} encoder to train a ${target} on`,
    {
      hint: "Leave --train out: an encoder is learned from nothing then.",
    },
  );
}

/** Before hours of recording and training, not after them. */
async function refuseTaken(out: string): Promise<void> {
  const there = await readdir(out).catch(() => []);
  if (there.length > 0)
    throw bad(`${out} is there already and not empty`, "Choose another folder, or remove it first.");
}

interface GatherParts {
  readonly flags: Flags;
  readonly bundle: Bundle;
  readonly loaded: LoadedConfig | undefined;
  readonly signal: AbortSignal;
}

async function gather(sensor: string, camera: string, { flags, bundle, loaded, signal }: GatherParts) {
  const configured = loaded?.config.sensors[sensor]?.window;
  const length = flags.window === undefined ? configured?.length : parseDuration(flags.window);
  const hop = flags.hop === undefined ? (configured?.hop ?? length) : parseDuration(flags.hop);
  const window = length === undefined || hop === undefined ? undefined : { length, hop };
  const options = { bundle, afresh: flags.train === "encoder", signal, window };
  if (flags.pairs !== undefined) {
    const modality = Modality.exclude(["text"]).safeParse(sensor);
    if (!modality.success) {
      throw bad(
        `with --pairs the sensor is named by its modality, not "${sensor}"`,
        "For instance: sensebind calibrate thermal --pairs pairs.csv",
      );
    }
    return gatherPairs(flags.pairs, modality.data, options);
  }
  if (flags.recording !== undefined) return gatherRecording(flags.recording, { sensor, camera }, options);
  const path = `${flags.out}.recording.mcap`;
  await recordFor(loaded!, {
    sensors: [sensor, camera],
    duration: parseDuration(flags.duration!),
    path,
    signal,
    verbose: flags.verbose ?? false,
  });
  return gatherRecording(path, { sensor, camera }, options);
}

/** Pairs of files without times: rows stand for scenes, their order for time; the end of the table is held out. */
function collectOf({ tolerance, clockError, scenes, pairs }: Flags): CollectOptions {
  return {
    tolerance: parseDuration(tolerance!),
    ...(clockError !== undefined && { clockError: parseDuration(clockError) }),
    ...(scenes !== undefined && { scenes }),
    ...(pairs !== undefined && { place: "last" as const, blocks: 5 }),
  };
}

function wordsOf({ word }: Flags, loaded: LoadedConfig | undefined): Words[] {
  const configured = Object.entries(loaded?.config.concepts ?? {}).flatMap(([concept, { texts }]) =>
    texts.length > 0 ? [{ concept, texts }] : [],
  );
  return [...configured, ...word.map((text) => ({ concept: text, texts: [text] }))];
}

async function undo(sensor: string, loaded: LoadedConfig | undefined, { json }: Flags): Promise<void> {
  if (loaded === undefined)
    throw bad("--undo needs --config", "Name the configuration of the node that was calibrated.");
  const { from, to } = await undoInstalled(loaded.folders.state, sensor);
  json
    ? printJson({ sensor, from, to: to ?? null })
    : printLine(`${sensor}: ${from} is no longer used${to ? `, ${to} is again` : ""}`);
}

/** Progress goes to stderr, so that stdout holds the result alone. */
const note = (text: string): void => void process.stderr.write(`${text}\n`);
const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
const bad = (message: string, hint: string): SenseError => new SenseError("BAD_ARGUMENT", message, { hint });
