import type { Command } from "commander";
import { type Asked, asksFor, type Target } from "../../align/net/plan.js";
import type { CollectOptions } from "../../align/pairs/collect.js";
import { parseDuration } from "../../core/duration.js";
import { SenseError } from "../../core/errors.js";
import { nearest } from "../../core/suggest.js";
import type { Duration } from "../../core/time.js";
import { recordedSensors } from "../../device/replay.js";
import { type Bundle, openBundle } from "../../encoder/bundle.js";
import { bundleId } from "../../encoder/import/bundle-id.js";
import type { Runtime } from "../../encoder/runtime.js";
import { workerRuntime } from "../../encoder/worker-runtime.js";
import { bundleDir } from "../bundles.js";
import { askedFor, bad, type Given, portion, type Source, size, span, whole } from "../calibrate/asked.js";
import { breathing } from "../calibrate/board.js";
import { calibrate } from "../calibrate/calibrate.js";
import { checkFits, chosenTraining, readTrainings, targetsIn } from "../calibrate/chosen-training.js";
import { factsOf, type Words } from "../calibrate/facts.js";
import { type Around, isAlone } from "../calibrate/fellows.js";
import { afterFailure } from "../calibrate/full-disk.js";
import { type GatherOptions, gatherRecording } from "../calibrate/gather.js";
import { gatherPairs } from "../calibrate/gather-pairs.js";
import type { Gathered } from "../calibrate/gathered.js";
import { undoInstalled } from "../calibrate/installed.js";
import { givesMaps, lendCamera } from "../calibrate/lent.js";
import { peakMemory, roomToGather, usualMemory } from "../calibrate/memory.js";
import { reportFile, writeOverlay } from "../calibrate/overlay.js";
import { recordFor } from "../calibrate/record-for.js";
import { note, notePairs, noteStep, printOutcome, tellShare } from "../calibrate/told.js";
import { WorkFolder } from "../calibrate/work-folder.js";
import { untilStopped } from "../edge.js";
import { type LoadedConfig, loadConfig } from "../load-config.js";
import { collect, jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";

interface Flags extends Given {
  readonly bundle?: string;
  readonly train?: readonly Target[];
  /** A file of designs of what is trained. */
  readonly training?: string;
  readonly window?: Duration;
  readonly hop?: Duration;
  readonly scenes?: number;
  readonly steps?: number;
  readonly time?: Duration;
  readonly share?: number;
  readonly memory?: number;
  readonly seed: number;
  readonly word: readonly string[];
  readonly undo?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export function register(program: Command): void {
  program
    .command("calibrate")
    .description("binds a sensor to the camera's space, by training on this machine")
    .argument("<sensor>", "a sensor of the configuration or recording; with --pairs its modality")
    .option(
      "--with <camera>",
      "the camera that looks at the same place, unless the configuration says; with --pairs a column of the table",
    )
    .option("--config <c.yaml>", "records both sensors live first")
    .option("--duration <d>", "how long to record; 20m unless given", span)
    .option("--recording <f.mcap>", "a recording of both")
    .option("--pairs <pairs.csv>", "files that belong together, such as thermal,vision or imu,text")
    .option("--out <bundle dir>", "the bundle that is made")
    .option("--bundle <bundle>", "bundle that the sensor joins; the configuration's, or nano")
    .option(
      "--train <what>",
      "head on the bundle's encoder, lora updates inside it, a small encoder from nothing, the camera's own encoder for maps, or several: lora,head",
      targetsIn,
    )
    .option("--training <t.yaml>", "what is trained and how, in full: the form of `training` in a bundle's manifest")
    .option("--window <d>", "length of the sensor's windows", span)
    .option("--hop <d>", "from one window to the next", span)
    .option("--tolerance <d>", "furthest apart that a window and a frame may be; 250ms unless given", span)
    .option("--clock-error <d>", "how far the two clocks may be apart, if measured", parseDuration)
    .option("--scenes <n>", "distinct scenes that must have been seen; 40 unless given", whole)
    .option("--steps <n>", "training steps", whole)
    .option("--time <d>", "learn for no longer than this, and take what is best by then", span)
    .option("--share <p>", "share of one core, such as 0.5; waits while the board is hot or on battery", portion)
    .option(
      "--memory <size>",
      "what may be taken beside the bundle, such as 300MB; a quarter of the machine's unless given",
      size,
    )
    .option("--seed <n>", "of the split and the training", whole, 1)
    .option("--word <words>", "words to check the sensor by; may be given several times", collect, [])
    .option("--undo", "go back to what a running node had before its last calibration: give --config")
    .addOption(jsonOption())
    .action((sensor: string, flags: Flags, command: Command) =>
      calibrateSensor(sensor, { ...command.optsWithGlobals<Flags>(), ...flags }),
    );
}

async function calibrateSensor(sensor: string, flags: Flags): Promise<void> {
  if (flags.undo) return undo(sensor, flags);
  const loaded = flags.config === undefined ? undefined : await loadConfig(flags.config);
  const asked = askedFor(sensor, { ...flags, with: flags.with ?? loaded?.config.sensors[sensor]?.bind });
  if (asked.source.kind === "live") checkSensors(loaded!, sensor, asked.camera);
  const dir =
    flags.bundle === undefined ? (loaded?.folders.bundle ?? (await bundleDir("nano"))) : await bundleDir(flags.bundle);
  await using work = await WorkFolder.open(asked.out);
  const signal = untilStopped();
  await using runtime = await workerRuntime({ workers: 1, threads: 1 });
  await using opened = await openBundle(dir, runtime);
  opened.tower("vision");
  const bundle = asked.source.kind === "pairs" ? opened : opened.forSensor(sensor);
  const learns = await learning(sensor, { flags, bundle, loaded, source: asked.source });
  const modality = await modalityOf(sensor, asked.source, loaded);
  const isLent = modality !== undefined && givesMaps(modality) && asksFor(learns, "camera");
  await using lent = isLent ? await lendCamera(bundle, modality, runtime) : undefined;
  const used = lent === undefined ? { bundle, had: bundle } : { bundle: lent, had: bundle, more: lent.more };
  try {
    await bound(sensor, { ...asked, ...used, flags, runtime, loaded, signal, work, learns });
  } catch (error) {
    if (!signal.aborted) {
      if (asked.source.kind === "live") note("what was recorded stays; a longer --duration records on from there");
      throw await afterFailure(error, asked.out);
    }
    note(`stopped; what was done is kept in ${work.path}, and the same command goes on from there`);
    if (flags.json) printJson({ stopped: true, kept: work.path });
    process.exitCode = 1;
  }
}

interface Parts extends ReturnType<typeof askedFor> {
  readonly flags: Flags;
  readonly bundle: Bundle;
  /** With the encoder that the sensor has now: the camera's may be lent to it in the other. */
  readonly had: Bundle;
  /** Paths of graphs that the sensor's tower has beside those of the bundle's folder. */
  readonly more?: readonly string[];
  readonly runtime: Runtime;
  readonly loaded: LoadedConfig | undefined;
  readonly signal: AbortSignal;
  readonly work: WorkFolder;
  readonly learns: Asked;
}

async function bound(sensor: string, parts: Parts): Promise<void> {
  const { flags, bundle, had, more = [], runtime, loaded, signal, work, camera, out, learns: target } = parts;
  const gathered = await gather(sensor, parts);
  const { modality } = gathered;
  const now = (): number => performance.now();
  const made = await calibrate(
    gathered,
    {
      ...{ sensor, camera, target, seed: flags.seed, signal, steps: flags.steps },
      ...(flags.time !== undefined && { time: flags.time }),
      collect: collectOf(flags),
      ...{ memory: memoryOf(flags), onReduced: note, onPairs: notePairs, onProgress: noteStep },
    },
    {
      ...{ bundle, had, runtime, work: work.path, now },
      ...(flags.share !== undefined && { breathe: breathing({ share: flags.share, signal, now }) }),
    },
  );
  const words = wordsOf(flags, loaded);
  const facts = await factsOf(made, { sensor, camera, bundle, id: bundleId(out), words, seed: flags.seed });
  const around = { manifest: had.manifest, sensors: await sensorsAround(parts) };
  const alone = parts.source.kind !== "pairs" && isAlone(sensor, modality, around);
  await writeOverlay(made, { bundle, runtime, out, facts, more, alone });
  await work.remove();
  const memory = { given: memoryOf(flags), peak: peakMemory() };
  printOutcome(
    { facts, out, report: reportFile(alone ? `sensor-${sensor}` : modality), memory },
    { json: flags.json ?? false },
  );
}

const memoryOf = ({ memory = usualMemory() }: Flags): number => memory;

/** Throws `BAD_CONFIG`, `BAD_ARGUMENT` for sensors that cannot be bound to one another. */
function checkSensors({ config: { sensors } }: LoadedConfig, sensor: string, camera: string): void {
  for (const name of [sensor, camera]) {
    if (sensors[name] !== undefined) continue;
    const near = nearest(name, Object.keys(sensors));
    throw new SenseError("BAD_CONFIG", `the configuration has no sensor "${name}"`, {
      hint: near ? `Did you mean "${near}"?` : `Sensors: ${Object.keys(sensors).join(", ")}.`,
    });
  }
  const seeing = sensors[camera]!.modality;
  if (seeing !== "vision") throw bad(`${camera} is ${seeing}, not a camera`, "Name the camera with --with.");
  if (sensors[sensor]!.modality !== "vision") return;
  throw bad(`${sensor} is a camera itself`, "Its space is the one that other sensors are bound to.");
}

/** What is learned, as far as it is known before anything is recorded or read. Throws what `chosenTraining` throws. */
async function learning(
  sensor: string,
  { flags, bundle, loaded, source }: Pick<Parts, "flags" | "bundle" | "loaded" | "source">,
): Promise<Asked> {
  const { train, training: path } = flags;
  if (train !== undefined && path !== undefined) {
    throw bad("--train and --training were both given", "Leave one of them out.");
  }
  const file = path === undefined ? undefined : { path, trainings: await readTrainings(path) };
  const modality = await modalityOf(sensor, source, loaded);
  if (modality === undefined) return "head";
  const learns = chosenTraining(modality, { manifest: bundle.manifest, train, file });
  await checkFits(learns, modality, bundle);
  return learns;
}

/** Undefined for a sensor that a recording does not have, which is told when it is read. */
async function modalityOf(sensor: string, source: Source, loaded: LoadedConfig | undefined) {
  if (source.kind === "pairs") return source.modality;
  if (source.kind === "live") return loaded!.config.sensors[sensor]!.modality;
  return (await recordedSensors(source.path))[sensor]?.modality;
}

/** With `--pairs` there is nothing around. */
async function sensorsAround({ source, loaded }: Parts): Promise<Around["sensors"]> {
  if (source.kind === "pairs") return {};
  return loaded?.config.sensors ?? (source.kind === "recording" ? recordedSensors(source.path) : {});
}

async function gather(sensor: string, parts: Parts): Promise<Gathered> {
  const { flags, bundle, loaded, signal, work, source, camera, learns } = parts;
  const configured = loaded?.config.sensors[sensor]?.window;
  const told = new Map<string, ReturnType<typeof tellShare>>();
  const options: GatherOptions = {
    ...{ bundle, had: parts.had, signal, afresh: asksFor(learns, "encoder") && !asksFor(learns, "lora") },
    frozen: !asksFor(learns, "encoder") && !asksFor(learns, "lora"),
    window: { length: flags.window ?? configured?.length, hop: flags.hop ?? configured?.hop },
    room: roomToGather(memoryOf(flags)),
    kept: async (modality) => {
      const kept = await work.kept(modality, bundle);
      if (kept.size > 0) note(`${kept.size} vectors of ${modality} are there from before`);
      return kept;
    },
    onWindows: (name, count) => note(`${name}: ${count} windows`),
    onProgress: (name, done) => {
      const tell = told.get(name) ?? tellShare(`${name} is looked at`);
      told.set(name, tell);
      tell(done);
    },
  };
  if (source.kind === "pairs") {
    return gatherPairs({ path: source.path, modality: source.modality, anchor: flags.with }, options);
  }
  const paths = source.kind === "recording" ? [source.path] : await recorded(sensor, source.duration, parts);
  return gatherRecording({ paths, sensor, camera }, options);
}

/** Records live, and says where the recording is if that ends early. */
async function recorded(sensor: string, duration: Duration, parts: Parts): Promise<readonly string[]> {
  const { flags, loaded, signal, camera, out } = parts;
  const tell = tellShare("recording");
  const paths = await recordFor(loaded!, {
    ...{ sensors: [sensor, camera], duration, out, signal, note, verbose: flags.verbose ?? false },
    onProgress: (done, counts) =>
      tell(
        done,
        Object.entries(counts)
          .map(([name, count]) => `${name} ${count}`)
          .join(", "),
      ),
  });
  if (!signal.aborted) return paths;
  note(`what was recorded is in ${paths.join(", ")}; to bind from what is there:`);
  note(
    `  sensebind calibrate ${sensor} --with ${camera} --config ${flags.config} --recording ${paths.at(-1)} --out ${out}`,
  );
  signal.throwIfAborted();
  return paths;
}

/** Pairs of files without times: rows stand for scenes, their order for time; the end of the table is held out. */
function collectOf({ tolerance, clockError, scenes, pairs }: Flags): CollectOptions {
  return {
    ...(tolerance !== undefined && { tolerance }),
    ...(clockError !== undefined && { clockError }),
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

async function undo(sensor: string, { config, json }: Flags): Promise<void> {
  if (config === undefined) {
    throw bad("--undo needs --config", "Name the configuration of the node that was calibrated.");
  }
  const { folders } = await loadConfig(config);
  const { from, to } = await undoInstalled(folders.state, sensor);
  json
    ? printJson({ sensor, from, to: to ?? null })
    : printLine(`${sensor}: ${from} is no longer used${to ? `, ${to} is again` : ""}`);
}
