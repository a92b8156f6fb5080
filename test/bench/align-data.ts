import { join } from "node:path";
import { openBundle } from "../../models/build/bundle-runner.js";
import {
  cropped,
  depthRecipe,
  type Pair as Frames,
  readDepthPairs,
  readThermalPairs,
  thermalRecipe,
  type View,
  whole,
} from "../../models/build/pictures.js";
import { readTable } from "../../models/build/table.js";
import type { Match, Pair, Split } from "../../src/align/pairs/pair.js";
import { scenesOf } from "../../src/align/pairs/scenes.js";
import { splitByTime } from "../../src/align/pairs/split.js";
import { seeded } from "../../src/core/random.js";
import type { Frame } from "../../src/core/reading.js";
import type { DepthRecipe, ThermalRecipe } from "../../src/core/recipe.js";
import type { Tensor } from "../../src/core/tensor.js";
import { type Duration, type Micros, micros, s } from "../../src/core/time.js";
import { depthTensor } from "../../src/window/depth.js";
import { thermalTensor } from "../../src/window/thermal.js";

/** Pairs of the public data packs for binding from nothing: pixels of a sensor, and where nano puts the camera's picture of the same moment. */
export interface PictureOptions {
  /** Side of the sensor's map; the camera's picture is always what nano takes. */
  readonly size?: number;
  /** How the map is made; as nano's own encoder takes it unless given. */
  readonly recipe?: ThermalRecipe | DepthRecipe;
  /** How often each pair to learn from is seen: beyond the first, the same random part of both pictures, mirrored or not. */
  readonly views?: number;
  readonly bundle?: string;
}

interface Source {
  readonly frames: readonly Frames[];
  readonly times: readonly Micros[];
  readonly guard: Duration;
  readonly tensorOf: (frame: Frame) => Tensor<Float32Array>;
}

const cameraRate = 30;
const atFrame = (frame: number): Micros => micros((frame * 1e6) / cameraRate);

/** 150 street scenes, infrared `[1, 1, size, size]` in 0..1; the last 30 are held out, a second of the drive before them is left out. */
export async function thermalPairs(data: string, options: PictureOptions = {}): Promise<Split> {
  const rows = await readTable(join(data, "thermal", "pairs.csv"));
  const times = rows.map(({ camera }) => atFrame(Number(/(\d+)\.jpg$/.exec(camera!)![1])));
  const { size = 64, recipe = { ...thermalRecipe, size } } = options;
  const tensorOf = (frame: Frame) => thermalTensor(frame, recipe as ThermalRecipe);
  return picturePairs({ frames: await readThermalPairs(data), times, guard: s(1), tensorOf }, options);
}

/** 163 frames of a walk through one room, depth `[1, 1, size, size]` in 0..1 (10 m); the last 4 s are held out, 2 s before them are left out. */
export async function depthPairs(data: string, options: PictureOptions = {}): Promise<Split> {
  const rows = await readTable(join(data, "depth", "frames.csv"));
  const times = rows.map(({ frame }) => atFrame(Number(frame)));
  const { size = 64, recipe = { ...depthRecipe, size } } = options;
  const tensorOf = (frame: Frame) => depthTensor(frame, recipe as DepthRecipe);
  return picturePairs({ frames: await readDepthPairs(data), times, guard: s(2), tensorOf }, options);
}

async function picturePairs(
  { frames, times, guard, tensorOf }: Source,
  { views = 1, bundle = "models/nano" }: PictureOptions,
): Promise<Split> {
  const nano = await openBundle(bundle);
  const matchOf = async (i: number, view: View): Promise<Match> => {
    const { camera, other } = frames[i]!;
    const [seen, sensed] = view === whole ? [camera, other] : [cropped(camera, view), cropped(other, view)];
    return { time: times[i]!, sensor: tensorOf(sensed), anchor: await nano.frame(seen) };
  };
  const matches: Match[] = [];
  for (const i of frames.keys()) matches.push(await matchOf(i, whole));
  const split = splitByTime(scenesOf(matches), { place: "last", blocks: 5, guard });
  const random = seeded(1);
  const more: Pair[] = [];
  for (const { time, scene, visit } of split.train)
    for (let view = 1; view < views; view++)
      more.push({ ...(await matchOf(times.indexOf(time), someView(random))), scene, visit });
  return { train: [...split.train, ...more], heldOut: split.heldOut };
}

/** A part of 60 to 100 % of both sides, anywhere, in half of the cases mirrored. */
function someView(random: () => number): View {
  const side = 0.6 + 0.4 * random();
  return {
    left: (1 - side) * random(),
    top: (1 - side) * random(),
    width: side,
    height: side,
    flip: random() < 0.5,
  };
}
