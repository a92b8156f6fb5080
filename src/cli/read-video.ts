import { isSenseError, SenseError } from "../core/errors.js";
import { silent } from "../core/log.js";
import type { Frame } from "../core/reading.js";
import type { Recipe } from "../core/recipe.js";
import type { Duration } from "../core/time.js";
import { type FfmpegOptions, ffmpegReadings } from "../device/ffmpeg.js";
import { stackRows } from "../encoder/rows.js";
import { fileClips, type Inputs, videoClips } from "../window/preprocess.js";
import { clipFrames, hasVideo } from "../window/video.js";
import { systemClock } from "./edge.js";

/** Files that ffmpeg reads as moving pictures. */
export const isVideo = (path: string): boolean => /\.(mp4|m4v|mov|mkv|webm|avi|ts|h264|264|hevc|265)$/i.test(path);

/**
 * A video file as clips: by the recipe's own rule for videos if it has one, else the picture at every `hop`.
 * Throws `BAD_IMAGE`, `TOOL_MISSING` without ffmpeg.
 */
export async function readVideo(path: string, recipe: Recipe, hop: Duration): Promise<Inputs> {
  const times: number[] = [];
  // Decoded small, to learn how many frames there are; a container's own count may be wrong or absent.
  for await (const { time } of frames(path, { filter: "scale=2:2" })) times.push(time);
  const count = times.length;
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1e6;
  const length = { frames: count, fps: seconds > 0 ? (count - 1) / seconds : 1 };
  const rule = recipe.kind === "vision" && hasVideo(recipe) ? recipe : undefined;
  const wanted = rule ? clipFrames(length, rule).flat() : everyHop(times, hop);
  const kept = new Map<number, Frame>();
  let index = 0;
  for await (const frame of frames(path)) {
    if (wanted.includes(index)) kept.set(index, frame);
    index += 1;
  }
  if (kept.size === 0) throw new SenseError("BAD_IMAGE", `${path} has no pictures`, { hint: "Is it a video?" });
  if (rule) return videoClips(recipe, { ...length, frame: async (number) => kept.get(number)! });
  return stackRows([...kept.values()].map((frame) => fileClips(recipe, frame)));
}

/** Numbers of the frames on show at 0, hop, 2 hop …. */
function everyHop(times: readonly number[], hop: Duration): readonly number[] {
  const chosen: number[] = [];
  let due = times[0] ?? 0;
  for (const [number, time] of times.entries()) {
    if (time < due) continue;
    chosen.push(number);
    due += hop;
  }
  return chosen;
}

async function* frames(path: string, options: Partial<FfmpegOptions> = {}): AsyncGenerator<Frame> {
  const { signal } = new AbortController();
  const context = { signal, clock: systemClock(), log: silent, folder: "." };
  const input = ["-i", `file:${path}`];
  try {
    for await (const reading of ffmpegReadings({ input, modality: "vision", ends: true, ...options }, context)) {
      if (reading.kind === "frame") yield reading;
    }
  } catch (cause) {
    if (!isSenseError(cause, "DEVICE_FAILED")) throw cause;
    throw new SenseError("BAD_IMAGE", `${path} cannot be decoded as a video: ${cause.message}`, {
      hint: `See what ffmpeg says of it: ffmpeg -i ${path} -f null -`,
      cause,
    });
  }
}
