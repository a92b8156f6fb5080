import type { Duration } from "../../core/time.js";
import type { Manifest, Tower } from "../manifest.js";

const seconds = (span: Duration): string => `${span / 1e6}s`;

function towerText(tower: Tower): unknown {
  const { preprocess, window } = tower;
  const recipe = {
    ...preprocess,
    ...("video" in preprocess && preprocess.video !== undefined
      ? { video: { ...preprocess.video, length: seconds(preprocess.video.length) } }
      : {}),
    ...("clips" in preprocess ? { clips: { ...preprocess.clips, length: seconds(preprocess.clips.length) } } : {}),
  };
  const spans = window === undefined ? {} : { window: { length: seconds(window.length), hop: seconds(window.hop) } };
  return { ...tower, preprocess: recipe, ...spans };
}

/** The content of manifest.json, with durations as people write them. */
export function manifestText(manifest: Manifest): string {
  const { towers, sensors } = manifest;
  const texts = (all: Readonly<Record<string, Tower>>) =>
    Object.fromEntries(Object.entries(all).map(([place, tower]) => [place, towerText(tower)]));
  const readable = { ...manifest, towers: texts(towers), ...(sensors && { sensors: texts(sensors) }) };
  return `${JSON.stringify(readable, undefined, 2)}\n`;
}
