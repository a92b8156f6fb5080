import sharp from "sharp";
import { scene } from "./script.js";

/** Frames a second of the camera. */
export const cameraRate = 4;

/** Pictures by name: files of the sources folder, and the part that the camera looks at, as shares of width and height. */
const pictures = {
  coffee: { file: "coffee.png", crop: { left: 0.05, top: 0, width: 0.85, height: 1 } },
  cat: { file: "chelsea.png", crop: { left: 0.02, top: 0, width: 0.9, height: 1 } },
} as const;

const [width, height] = [256, 192];

/** The camera's picture at `t` as a JPEG: it drifts slowly over the photograph, as a hand-held camera does. */
export async function viewAt(t: number, sources: string): Promise<Uint8Array> {
  const view = scene.views.findLast(({ from }) => from <= t)!;
  const { file, crop } = pictures[view.picture];
  const picture = sharp(`${sources}/${file}`);
  const size = await picture.metadata();
  const zoom = 0.94 + 0.05 * Math.sin(0.7 * t);
  const wander = (phase: number): number => 0.5 + 0.5 * Math.sin(0.9 * t + phase);
  const part = {
    left: Math.floor(size.width * (crop.left + crop.width * (1 - zoom) * wander(0))),
    top: Math.floor(size.height * (crop.top + crop.height * (1 - zoom) * wander(2))),
    width: Math.floor(size.width * crop.width * zoom),
    height: Math.floor(size.height * crop.height * zoom),
  };
  return picture.extract(part).resize(width, height).removeAlpha().jpeg({ quality: 70 }).toBuffer();
}
