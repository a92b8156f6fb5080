import type { Anchor, Sensed } from "../../align/pairs/pair.js";
import { type ErrorCode, isSenseError, SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import type { SensorReading } from "../../core/reading.js";
import type { Recipe } from "../../core/recipe.js";
import { nearest } from "../../core/suggest.js";
import type { Duration } from "../../core/time.js";
import { recordedSensors, replayReadings } from "../../device/replay.js";
import type { Bundle } from "../../encoder/bundle.js";
import { unknownWindow } from "../../pipeline/unbound.js";
import type { Cut } from "../../window/cut.js";
import { slide } from "../../window/slide.js";
import { anchorsOf } from "./anchors.js";
import { otherRecipe } from "./before.js";
import { idOfCut } from "./content-id.js";
import { asInput, frozenVector } from "./frozen.js";
import { ChannelSums, type Gathered, middle, recipeOf, sensedIn, type Whole } from "./gathered.js";
import { type KeptVectors, remembered } from "./kept-vectors.js";
import { Numbers } from "./numbers.js";
import { isSmall, scaleSketch, sketchOf } from "./sketch.js";
import { Stretches } from "./stretches.js";

export interface GatherOptions {
  readonly bundle: Bundle;
  /** The bundle with the encoder that the sensor has now, where `bundle` has another. */
  readonly had?: Bundle;
  /** Whether the encoder that the bundle has for the modality is put aside. */
  readonly afresh: boolean;
  /** Whether what is learned takes the vectors of the bundle's own encoder, where it has one, and not the windows themselves. */
  readonly frozen: boolean;
  readonly signal: AbortSignal;
  /** Windows of the sensor; as its encoder was made for unless given. */
  readonly window?: { readonly length: Duration | undefined; readonly hop: Duration | undefined };
  /** What windows and frames may take until it is known which are learned from, in bytes. */
  readonly room?: number;
  /** Vectors of an earlier run, by modality. */
  readonly kept?: (modality: Exclude<Modality, "text">) => Promise<KeptVectors>;
  /** Share done of one of the two, 0..1. */
  readonly onProgress?: (name: string, done: number) => void;
  /** Called now and then while it is not known how many windows there will be. */
  readonly onWindows?: (name: string, count: number) => void;
}

/** Where a recording was made in several pieces, as after a power loss, they count as one. */
export interface Recorded {
  readonly paths: readonly string[];
  readonly sensor: string;
  readonly camera: string;
}

/** From a recording: windows of the sensor, and where the camera's frames lie. Throws `BAD_RECORDING`, `BAD_ARGUMENT`. */
export async function gatherRecording(recorded: Recorded, options: GatherOptions): Promise<Gathered> {
  const { bundle, afresh, signal, room = Number.POSITIVE_INFINITY, kept, onProgress = () => {} } = options;
  const modality = await modalityIn(recorded);
  const tower = afresh ? undefined : bundle.manifest.towers[modality];
  const usual = tower?.window ?? unknownWindow(modality);
  const { length = usual.length, hop: every = Math.min(usual.hop, length) as Duration } = options.window ?? usual;
  const span = { length, hop: every };
  const looks = bundle.tower("vision").window ?? unknownWindow("vision");
  // A camera is looked at as often as the sensor gives windows, so that each window has a frame near its middle.
  const hop = Math.min(looks.hop, span.hop, 500_000) as Duration;
  const seen = { length: Math.min(looks.length, hop) as Duration, hop };
  const readings = (sensor: string) => replayAll(recorded.paths, sensor);
  const recipe = tower?.preprocess ?? (await learnableIn(readings(recorded.sensor), recorded, span));
  const encoded = options.frozen && tower !== undefined;
  const stretches = new Stretches();
  const numbers = new Numbers();
  const felt = await feel(() => slide(numbers.counted(readings(recorded.sensor)), span), recipe, {
    ...{ stretches, room, signal, perWindow: (span.hop / hop) * anchorBytes(bundle) },
    onWindows: (count) => options.onWindows?.(recorded.sensor, count),
    ...(encoded && { encoder: { bundle, modality, kept: await kept?.(modality) } }),
    // The encoder that is there was made for its channels as its recipe gives them.
    scales: tower === undefined,
  });
  numbers.check(recorded.sensor);
  const [first = 0, last = 0] = [felt.windows[0]?.time, felt.windows.at(-1)?.time];
  const anchors: Anchor[] = [];
  const wanted = (time: number): boolean => stretches.has(time as Cut["to"]);
  const frames = anchorsOf(readings(recorded.camera), bundle, {
    ...{ window: seen, signal, wanted },
    kept: await kept?.("vision"),
  });
  for await (const anchor of frames) {
    anchors.push(anchor);
    onProgress(recorded.camera, Math.min(1, Math.max(0, (anchor.time - first) / Math.max(1, last - first))));
  }
  onProgress(recorded.camera, 1);
  const own = otherRecipe(options.had ?? bundle, { bundle, modality, recipe: felt.recipe });
  const asBefore =
    own &&
    ((wanted: ReadonlySet<number>) =>
      wholeOf(slide(readings(recorded.sensor), span), own, { numbers: wanted, stretches }));
  return { ...felt, modality, window: span, anchors, timed: true, encoded, asBefore, every: stretches.every };
}

const anchorBytes = ({ manifest }: Bundle): number => 4 * manifest.dim + 300;

interface FeelOptions {
  readonly stretches: Stretches;
  readonly room: number;
  /** What the camera's frames of one window will take, in bytes. */
  readonly perWindow: number;
  readonly signal: AbortSignal;
  /** Whether channels are put at mean 0 and deviation 1. */
  readonly scales: boolean;
  readonly encoder?: Encoder;
  readonly onWindows: (count: number) => void;
}

/** Windows between two signs of life. */
const tellEvery = 500;

/** The encoder whose vectors are wanted in the windows' place. */
interface Encoder {
  readonly bundle: Bundle;
  readonly modality: Exclude<Modality, "text">;
  readonly kept: KeptVectors | undefined;
}

/** The sensor's windows: as they are where they are small, else sketches of them and the way to whole ones. */
async function feel(
  cuts: () => AsyncIterable<Cut>,
  recipe: Recipe,
  { stretches, room, perWindow, signal, scales, encoder, onWindows }: FeelOptions,
): Promise<Pick<Gathered, "recipe" | "windows" | "whole">> {
  let windows: Sensed[] = [];
  let dims: readonly number[] | undefined;
  const sums = scales && recipe.kind === "series" ? new ChannelSums(recipe) : undefined;
  for await (const cut of cuts()) {
    signal.throwIfAborted();
    const time = middle(cut);
    if (!stretches.has(time)) continue;
    const input =
      encoder === undefined
        ? (await soundOrNot(cut, recipe)).input
        : asInput(await feltIn(cut, recipe, { encoder, signal }));
    const isKept = encoder !== undefined || isSmall(input);
    if (!isKept) {
      dims ??= input.dims.slice(1);
      sums?.add(input);
    }
    windows.push({ time, input: isKept ? input : sketchOf(input) });
    if (windows.length % tellEvery === 0) onWindows(windows.length);
    while (windows.length > 64 && windows.length * (windows[0]!.input.data.byteLength + 200 + perWindow) > room) {
      stretches.halve();
      windows = windows.filter((window) => stretches.has(window.time));
    }
  }
  if (dims === undefined) return { recipe, windows };
  const scaled = sums?.recipe ?? recipe;
  if (sums !== undefined) for (const { input } of windows) scaleSketch(input, sums.recipe);
  return { recipe: scaled, windows, whole: { dims, of: (numbers) => wholeOf(cuts(), scaled, { numbers, stretches }) } };
}

async function feltIn(
  cut: Cut,
  recipe: Recipe,
  { encoder: { bundle, modality, kept }, signal }: { readonly encoder: Encoder; readonly signal: AbortSignal },
): Promise<Float32Array | undefined> {
  const found = await remembered(
    kept,
    () => idOfCut(cut),
    async () => {
      const { input } = await soundOrNot(cut, recipe);
      const vector = await frozenVector(bundle, input, { modality, recipe, signal });
      return vector && { vector };
    },
  );
  return found?.vector;
}

async function* wholeOf(
  cuts: AsyncIterable<Cut>,
  recipe: Recipe,
  { numbers, stretches }: { readonly numbers: ReadonlySet<number>; readonly stretches: Stretches },
): ReturnType<Whole["of"]> & AsyncGenerator {
  let number = -1;
  for await (const cut of cuts) {
    if (!stretches.has(middle(cut)) || !numbers.has(++number)) continue;
    yield { number, input: (await sensedIn(cut, recipe)).input };
  }
}

/** What can be wrong with one window while the next one is fine. */
const ofOneWindow: ReadonlySet<ErrorCode> = new Set([
  "BAD_ARGUMENT",
  "BAD_AUDIO",
  "BAD_IMAGE",
  "BAD_TENSOR",
  "WINDOW_GAP",
]);

/** A window; NaN in the place of one whose readings are no numbers or damaged, which the gate then counts. */
async function soundOrNot(cut: Cut, recipe: Recipe): Promise<Sensed> {
  try {
    return await sensedIn(cut, recipe);
  } catch (error) {
    if (!isSenseError(error) || !ofOneWindow.has(error.code)) throw error;
    return { time: middle(cut), input: { dims: [1, 1], data: Float32Array.of(Number.NaN) } };
  }
}

async function modalityIn({ paths, sensor, camera }: Recorded): Promise<Exclude<Modality, "text">> {
  const path = paths[0]!;
  const recorded = await recordedSensors(path);
  for (const name of [sensor, camera]) {
    if (recorded[name] !== undefined) continue;
    const near = nearest(name, Object.keys(recorded));
    throw new SenseError("BAD_ARGUMENT", `the recording ${path} has no sensor "${name}"`, {
      hint: near ? `Did you mean "${near}"?` : `It has ${Object.keys(recorded).join(", ")}.`,
    });
  }
  if (recorded[camera]!.modality !== "vision") {
    throw new SenseError("BAD_ARGUMENT", `${camera} is ${recorded[camera]!.modality}, not a camera`, {
      hint: "Name the camera that looks at the same place with --with.",
    });
  }
  return recorded[sensor]!.modality;
}

async function learnableIn(
  readings: AsyncIterable<SensorReading>,
  { paths, sensor }: Recorded,
  span: { readonly length: Duration },
): Promise<Recipe> {
  for await (const { reading } of readings) return recipeOf(reading, span);
  throw new SenseError("BAD_RECORDING", `${paths[0]} holds no reading of ${sensor}`);
}

async function* replayAll(paths: readonly string[], sensor: string): AsyncGenerator<SensorReading> {
  for (const path of paths) yield* replayReadings(path, { sensor });
}
