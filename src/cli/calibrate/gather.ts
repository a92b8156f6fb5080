import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Anchor, Sensed } from "../../align/pairs/pair.js";
import { parsePairTable, rowTimes } from "../../align/pairs/table.js";
import type { UnitVector } from "../../core/embedding.js";
import { isSenseError, SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import { nearest } from "../../core/suggest.js";
import type { Duration } from "../../core/time.js";
import { recordedSensors, replayReadings } from "../../device/replay.js";
import type { Bundle } from "../../encoder/bundle.js";
import { readInput } from "../read-input.js";
import { anchorsOf, firstClip, type Gathered, mapSize, recipeOf, sensedOf, unknownWindow } from "./gathered.js";

export interface GatherOptions {
  readonly bundle: Bundle;
  /** Whether the encoder that the bundle has for the modality is put aside. */
  readonly afresh: boolean;
  readonly signal: AbortSignal;
  /** Windows of the sensor; as its encoder was made for unless given. */
  readonly window?: { readonly length: Duration; readonly hop: Duration } | undefined;
  /** Share done, 0..1, where it is known. */
  readonly onProgress?: (done: number) => void;
}

/** From a recording: windows of the sensor, and where the camera's frames lie. Throws `BAD_RECORDING`, `BAD_ARGUMENT`. */
export async function gatherRecording(
  path: string,
  names: { readonly sensor: string; readonly camera: string },
  { bundle, afresh, signal, window }: GatherOptions,
): Promise<Gathered> {
  const { sensor, camera } = names;
  const recorded = await recordedSensors(path);
  for (const name of [sensor, camera]) {
    if (recorded[name] !== undefined) continue;
    const near = nearest(name, Object.keys(recorded));
    throw new SenseError("BAD_ARGUMENT", `the recording ${path} has no sensor "${name}"`, {
      hint: near ? `Did you mean "${near}"?` : `It has ${Object.keys(recorded).join(", ")}.`,
    });
  }
  const { modality } = recorded[sensor]!;
  if (recorded[camera]!.modality !== "vision") {
    throw new SenseError("BAD_ARGUMENT", `${camera} is ${recorded[camera]!.modality}, not a camera`, {
      hint: "Name the camera that looks at the same place with --with.",
    });
  }
  const tower = afresh ? undefined : bundle.manifest.towers[modality];
  const span = window ?? tower?.window ?? (modality === "other" || modality === "imu" ? unknownWindow : frames);
  let recipe = tower?.preprocess;
  if (recipe === undefined) {
    for await (const { reading } of replayReadings(path, { sensor })) {
      recipe = recipeOf(reading, span);
      break;
    }
  }
  if (recipe === undefined) throw new SenseError("BAD_RECORDING", `${path} holds no reading of ${sensor}`);
  const windows: Sensed[] = [];
  for await (const sensed of sensedOf(replayReadings(path, { sensor }), recipe, span)) windows.push(sensed);
  const anchors: Anchor[] = [];
  const looks = bundle.tower("vision").window ?? frames;
  // A camera is looked at as often as the sensor gives windows, so that each window has a frame near its middle.
  const hop = Math.min(looks.hop, span.hop, 500_000) as Duration;
  const seen = { length: Math.min(looks.length, hop) as Duration, hop };
  for await (const anchor of anchorsOf(replayReadings(path, { sensor: camera }), bundle, seen, signal)) {
    anchors.push(anchor);
  }
  return { modality, recipe, window: span, windows, anchors, timed: true };
}

/** Cameras, and sensors that give maps: a look at each frame's own second. */
const frames = { length: 1_000_000 as Duration, hop: 1_000_000 as Duration };

/** From pairs of files, or of a file and words. Throws `BAD_ARGUMENT` with the line, and what the files' decoders throw. */
export async function gatherPairs(
  path: string,
  modality: Exclude<Modality, "text">,
  { bundle, afresh, signal, onProgress = () => {} }: GatherOptions,
): Promise<Gathered> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `${path} cannot be read`, { hint: "Check the path.", cause });
  });
  const { rows, anchors: kind } = parsePairTable(text, { sensor: modality, path });
  const times = rowTimes(rows);
  const tower = bundle.manifest.towers[modality];
  if (tower === undefined) {
    throw new SenseError("MODALITY_UNSUPPORTED", `the bundle does not say how files of ${modality} are read`, {
      hint: "Record the sensor and the camera (`sensebind record`) and give --recording.",
    });
  }
  const { preprocess } = tower;
  // An encoder from nothing sees smaller maps: it has few pairs to learn from.
  const recipe =
    afresh && (preprocess.kind === "thermal" || preprocess.kind === "depth")
      ? { ...preprocess, input: "input", size: mapSize }
      : preprocess;
  const windows: Sensed[] = [];
  const anchors: Anchor[] = [];
  const known = new Map<string, UnitVector>();
  for (const [i, row] of rows.entries()) {
    signal.throwIfAborted();
    const at = (file: string): string => resolve(dirname(path), file);
    try {
      const inputs = await readInput(at(row.sensor), { modality, recipe, hop: undefined });
      const vector =
        known.get(row.anchor) ??
        (await anchorOf(bundle, kind === "text" ? row.anchor : at(row.anchor), kind, modality));
      known.set(row.anchor, vector);
      windows.push({ time: times[i]!, input: firstClip(inputs, recipe) });
      anchors.push({ time: times[i]!, vector });
    } catch (error) {
      if (!isSenseError(error)) throw error;
      throw new SenseError(error.code, `${path}, line ${row.line}: ${error.message}`, {
        ...(error.hint !== undefined && { hint: error.hint }),
        cause: error,
      });
    }
    onProgress((i + 1) / rows.length);
  }
  return {
    modality,
    recipe,
    window: tower.window ?? frames,
    windows,
    anchors,
    timed: rows.every(({ time }) => time !== undefined),
    words: kind === "text",
  };
}

async function anchorOf(
  bundle: Bundle,
  anchor: string,
  kind: "text" | "vision",
  modality: Modality,
): Promise<UnitVector> {
  if (kind === "text") return (await bundle.encodeText([anchor], modality))[0]!.vector;
  const input = await readInput(anchor, {
    modality: "vision",
    recipe: bundle.tower("vision").preprocess,
    hop: undefined,
  });
  return (await bundle.encode("vision", input)).vector;
}
