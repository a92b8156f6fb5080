import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { depthRecipe, thermalRecipe } from "../../models/build/pictures.js";
import { augmentationOf } from "../../src/align/augment/by-recipe.js";
import { bindSensor } from "../../src/align/bind.js";
import { convolutional } from "../../src/align/net/architectures.js";
import { oriented } from "../../src/align/net/oriented.js";
import { chanceOf } from "../../src/align/train/recall.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { depthPairs, thermalPairs } from "./align-data.js";

/** Binds sensors of the public data to nano's camera from random weights, and tells recall on held-out pairs: `align.ts <data> [what]`. */
const [data = "../shared/data", what = "thermal"] = process.argv.slice(2);
await using engine = await workerRuntime({ workers: 1, threads: 1 });
const folder = await mkdtemp(join(tmpdir(), "sensebind-align-"));
const found =
  what === "depth"
    ? await depthPairs(data, { views: Number(process.env.VIEWS ?? 8), size: Number(process.env.SIZE ?? 64) })
    : await thermalPairs(data, { views: Number(process.env.VIEWS ?? 8), size: Number(process.env.SIZE ?? 64) });
const recipe = what === "depth" ? depthRecipe : thermalRecipe;
const began = performance.now();
const result = await bindSensor(
  found,
  {
    architecture: process.env.CNN
      ? convolutional({ dim: found.train[0]!.anchor.length, stages: [16, 32, 64, 128] })
      : oriented({ dim: found.train[0]!.anchor.length }),
    augment: process.env.AUG === "0" ? undefined : augmentationOf(recipe),
    steps: Number(process.env.STEPS ?? 600),
    same: Number(process.env.SAME ?? 0.98),
    optimizer: { lr: Number(process.env.LR ?? 2e-3), decay: Number(process.env.WD ?? 0.05) },
    batch: Number(process.env.BATCH ?? 64),
    onProgress: ({ step, loss, heldOut, secondsLeft }) =>
      console.log(
        step,
        loss.toFixed(3),
        heldOut.at1.toFixed(3),
        heldOut.at5.toFixed(3),
        `${secondsLeft.toFixed(0)} s left`,
      ),
  },
  { engine, folder, now: () => performance.now() },
);
const guess = chanceOf(found.heldOut.map(({ scene }) => scene));
console.log(
  `${what}: ${found.train.length} pairs to learn from, ${found.heldOut.length} held out; recall@1 ${(100 * result.recall.at1).toFixed(1)} %, ` +
    `recall@5 ${(100 * result.recall.at5).toFixed(1)} % (guessing ${(100 * guess.at1).toFixed(1)}, ${(100 * guess.at5).toFixed(1)}); ${((performance.now() - began) / 1e3).toFixed(0)} s`,
);
