import type { BindProgress } from "../../align/bind.js";
import type { Collected } from "../../align/pairs/collect.js";
import { bundleId } from "../../encoder/import/bundle-id.js";
import { workerRuntime } from "../../encoder/worker-runtime.js";
import type { CalibrationParts } from "../../pipeline/calibrations.js";
import { windowOf } from "../../pipeline/node.js";
import type { Calibration } from "../../publish/messages.js";
import { breathing } from "./board.js";
import { calibrate } from "./calibrate.js";
import type { Collecting } from "./collecting.js";
import { factsOf } from "./facts.js";
import { isAlone } from "./fellows.js";
import { afterFailure } from "./full-disk.js";
import type { Gathered } from "./gathered.js";
import type { LentBundle } from "./lent.js";
import { learnedFrom, memoryFor, toleranceOf } from "./live-options.js";
import { writeOverlay } from "./overlay.js";

/** A sensor that is watched beside its camera. */
export interface Watched {
  readonly camera: string;
  readonly collecting: Collecting;
  /** The camera's encoder, where it looks at the sensor's maps in the place of one of its own. */
  readonly lent: LentBundle | undefined;
}

export interface BesideParts extends Pick<CalibrationParts, "config" | "settings" | "node" | "log"> {
  readonly signal: AbortSignal;
  /** For the work and for the bundle that is made. */
  readonly folders: readonly [work: string, out: string];
  readonly onPairs: (pairs: Collected) => void;
  readonly onProgress: (progress: BindProgress) => void;
}

/** Learns from what a running flow gave, in a worker of its own, and writes the bundle; gives recall before and after. */
export async function learnBeside(
  sensor: string,
  { camera, collecting, lent }: Watched,
  parts: BesideParts,
): Promise<NonNullable<Calibration["recall"]>> {
  const { config, settings, node, log, signal, onPairs, onProgress } = parts;
  const [work, out] = parts.folders;
  const { share, time } = config.calibrate;
  const had = node.bundle.forSensor(sensor);
  const bundle = lent ?? had;
  const gathered = await gatheredFrom(sensor, collecting, parts);
  if (collecting.spoilt > 0) log.warn({ sensor, windows: collecting.spoilt }, "windows that could not be used");
  const now = (): number => performance.now();
  await using runtime = await workerRuntime({ workers: 1, threads: 1 });
  const made = await calibrate(
    gathered,
    {
      ...{ sensor, camera, seed: 1, signal, memory: memoryFor(config), onPairs, onProgress },
      target: lent ? "camera" : learnedFrom(gathered, bundle),
      collect: { tolerance: toleranceOf(gathered) },
      ...(time !== undefined && { time }),
      onReduced: (what) => log.info({ sensor, what }, "to keep to the memory for calibrations"),
    },
    { bundle, had, runtime, work, now, breathe: breathing({ share, signal, now }) },
  );
  const words = Object.entries(settings.concepts).flatMap(([concept, { texts }]) =>
    texts.length > 0 ? [{ concept, texts }] : [],
  );
  const facts = await factsOf(made, { sensor, camera, bundle, id: bundleId(out), words, seed: 1 });
  const { manifest } = node.bundle;
  const alone = isAlone(sensor, gathered.modality, { manifest, sensors: config.sensors });
  const options = { bundle, runtime, out, facts, alone, more: lent?.more ?? [] };
  await writeOverlay(made, options).catch(async (error: unknown) => {
    throw await afterFailure(error, out);
  });
  const { before, after } = facts.recall;
  return { ...(before && { before: before.at1 }), after: after.at1 };
}

async function gatheredFrom(sensor: string, collecting: Collecting, { config, node }: BesideParts): Promise<Gathered> {
  await collecting.ready();
  const { windows, anchors, recipe, encoded } = collecting;
  const settings = config.sensors[sensor]!;
  const { modality } = settings;
  const bundle = node.bundle.forSensor(sensor);
  return {
    ...{ modality, windows, anchors, timed: true, window: windowOf(settings, bundle) },
    ...{ recipe: recipe ?? bundle.tower(modality).preprocess, encoded },
  };
}
