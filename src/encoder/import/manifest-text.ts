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
  const towers = Object.entries(manifest.towers).map(([modality, tower]) => [modality, towerText(tower)]);
  return `${JSON.stringify({ ...manifest, towers: Object.fromEntries(towers) }, undefined, 2)}\n`;
}
