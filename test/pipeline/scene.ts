import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { type Config, parseConfig } from "../../src/config.js";
import { silent } from "../../src/core/log.js";
import { micros } from "../../src/core/time.js";
import type { RunEdge } from "../../src/pipeline/run.js";
import { bundleFixture } from "../encoder/bundle-fixture.js";

export const colours = { r: [200, 10, 10], g: [10, 200, 10], b: [10, 10, 200] } as const;

/** A folder of pictures, one a second: `rrg` is two red ones and a green one; `x` is a file that is no picture. */
export async function pictures(diagram: string): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), "sensebind-scene-")), "camera");
  await mkdir(folder);
  for (const [i, letter] of [...diagram].entries()) {
    const path = join(folder, `${String(i).padStart(3, "0")}.png`);
    const [r, g, b] = colours[letter as keyof typeof colours] ?? [0, 0, 0];
    const create = { width: 24, height: 16, channels: 3 as const, background: { r, g, b } };
    await writeFile(path, letter === "x" ? "\x89PNG no more" : await sharp({ create }).png().toBuffer());
  }
  return folder;
}

export interface Scene {
  readonly config: Config;
  readonly edge: RunEdge;
}

/** A node named barn with one camera that plays a diagram and is asked for red and green. */
export async function scene(diagram: string, changes: Readonly<Record<string, unknown>> = {}): Promise<Scene> {
  const path = await pictures(diagram);
  const text = {
    node: "barn",
    sensors: { camera: { device: "files", modality: "vision", options: { path, pace: "fast" } } },
    concepts: { red: "red", green: "green" },
    rules: { "red-then-green": { when: "camera.red then camera.green within 5s" } },
    ...changes,
  };
  const folder = join(path, "..");
  return {
    config: parseConfig(JSON.stringify(text), "scene.yaml"),
    edge: {
      signal: new AbortController().signal,
      clock: { now: () => micros(Date.now() * 1e3) },
      log: silent,
      folder,
      folders: { bundle: await bundleFixture(), state: join(folder, "state") },
      version: "0.0.0",
      environment: {},
    },
  };
}
