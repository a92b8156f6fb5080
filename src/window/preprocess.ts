import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import type { Block, EncodedFrame, Frame } from "../core/reading.js";
import type { Recipe } from "../core/recipe.js";
import type { Tensor } from "../core/tensor.js";
import type { Duration } from "../core/time.js";
import type { Window } from "../core/window.js";
import { fbankClips, planes, waveformWindows } from "./audio.js";
import type { BlockCut, Cut, FrameCut } from "./cut.js";
import { depthTensor } from "./depth.js";
import { seriesWindows } from "./series.js";
import { thermalTensor } from "./thermal.js";
import { clipFrames, clipTensor, hasVideo, spread } from "./video.js";
import { liveSide, visionTensor } from "./vision.js";

/** Tensors by input name; the first axis of each is the clip. */
export type Inputs = Window["inputs"];

/** Decodes a camera's JPEG, PNG or WebP; given from outside, so that this stage has no I/O. */
export type DecodeFrame = (frame: EncodedFrame, options: DecodeFrameOptions) => Promise<Frame>;

export interface DecodeFrameOptions {
  /** Pixels that the shorter side must keep where the decoder can shrink the picture as it reads it. */
  readonly atLeast?: number | undefined;
}

/** A video file: how long it is, and its frames by number. */
export interface Video {
  readonly frames: number;
  readonly fps: number;
  frame(index: number): Promise<Frame>;
}

/** Turns cuts into windows by a bundle's recipe. A camera's cut of several frames follows the recipe's video rule if it has one. */
export function preprocessor(recipe: Recipe, decode: DecodeFrame): (cut: Cut) => Promise<Window> {
  return async (cut) => {
    const { sensor, modality, seq, from, to, quality } = cut;
    const inputs =
      cut.kind === "block" ? clipsOf(asBlock(cut), liveRecipe(recipe, cut)) : await frameInputs(cut, recipe, decode);
    return { sensor, modality, seq, from, to, quality, inputs };
  };
}

export interface FileOptions {
  /** From one window of samples to the next; the length of a window unless given. */
  readonly hop?: Duration | undefined;
}

/**
 * A whole file's clips: ImageBind's number of clips for a filterbank, a window every hop for other samples (a remainder is left
 * out, a file shorter than a window is handled as the recipe says), one for a picture.
 */
export function fileClips(recipe: Recipe, source: Frame | Block, { hop }: FileOptions = {}): Inputs {
  return source.kind === "block" ? clipsOf(source, recipe, hop) : pictureOf(source, recipe);
}

/** A video file's clips, each with three crops: `[clips * 3, 3, frames, size, size]`. Throws `MODALITY_UNSUPPORTED` where the recipe has no rule for videos. */
export async function videoClips(recipe: Recipe, video: Video): Promise<Inputs> {
  if (recipe.kind !== "vision" || !hasVideo(recipe)) {
    throw new SenseError("MODALITY_UNSUPPORTED", "the bundle's recipe has no rule for videos", {
      hint: "Give single frames as pictures.",
    });
  }
  const clips: Tensor<Float32Array>[] = [];
  for (const indices of clipFrames(video, recipe)) {
    const frames: Frame[] = [];
    for (const index of indices) frames.push(await video.frame(index));
    clips.push(clipTensor(frames, recipe));
  }
  return { [recipe.input]: stack(clips) };
}

async function frameInputs({ frames }: FrameCut, recipe: Recipe, decode: DecodeFrame): Promise<Inputs> {
  const atLeast = recipe.kind === "vision" ? liveSide(recipe) : undefined;
  const decoded = (frame: Frame | EncodedFrame) => (frame.kind === "encoded" ? decode(frame, { atLeast }) : frame);
  if (frames.length > 1 && recipe.kind === "vision" && hasVideo(recipe)) {
    const chosen = spread(frames.length, recipe.video.frames).map((index) => frames[index]!);
    return { [recipe.input]: clipTensor(await Promise.all(chosen.map(decoded)), recipe) };
  }
  return pictureOf(await decoded(frames.at(-1)!), recipe);
}

function pictureOf(frame: Frame, recipe: Recipe): Inputs {
  switch (recipe.kind) {
    case "vision":
      return { [recipe.input]: visionTensor(frame, recipe) };
    case "depth":
      return { [recipe.input]: depthTensor(frame, recipe) };
    case "thermal":
      return { [recipe.input]: thermalTensor(frame, recipe) };
    default:
      throw mismatch(recipe, `a picture (${frame.modality})`);
  }
}

function clipsOf(block: Block, recipe: Recipe, hop?: Duration): Inputs {
  const seconds = hop === undefined ? undefined : hop / 1e6;
  switch (recipe.kind) {
    case "fbank":
      return { [recipe.input]: fbankClips(planes(block, recipe.rate), recipe) };
    case "waveform":
      return { [recipe.input]: waveformWindows(planes(block, recipe.rate), recipe, seconds) };
    case "series":
      return { [recipe.input]: seriesWindows(block, recipe, seconds) };
    default:
      throw mismatch(recipe, `samples (${block.modality})`);
  }
}

/** ImageBind repeats a sound no longer than a clip as often as it wants clips; live, where their mean is the same, it is encoded once. */
function liveRecipe(recipe: Recipe, { from, to }: BlockCut): Recipe {
  if (recipe.kind !== "fbank" || to - from > recipe.clips.length) return recipe;
  return { ...recipe, clips: { ...recipe.clips, count: 1 } };
}

const asBlock = ({ modality, from, channels, rate, data }: BlockCut): Block => ({
  kind: "block",
  modality: modality as Exclude<Modality, "text">,
  time: from,
  channels,
  rate,
  data,
});

const mismatch = (recipe: Recipe, what: string): SenseError =>
  new SenseError("MODEL_MISMATCH", `a recipe of kind ${recipe.kind} cannot use ${what}`, {
    hint: "Choose a bundle that has an encoder for this sensor, or another modality.",
  });

function stack(clips: readonly Tensor<Float32Array>[]): Tensor<Float32Array> {
  const [first] = clips;
  const data = new Float32Array(clips.reduce((size, clip) => size + clip.data.length, 0));
  let at = 0;
  for (const clip of clips) {
    data.set(clip.data, at);
    at += clip.data.length;
  }
  return { dims: [clips.length * first!.dims[0]!, ...first!.dims.slice(1)], data };
}
