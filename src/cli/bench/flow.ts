import type { Modality } from "../../core/modality.js";
import { decodeImage, encodeImage } from "../../device/decode/sharp.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Feeds } from "../../encoder/runtime.js";
import { fileClips } from "../../window/preprocess.js";
import { type Figure, medianMs } from "./figure.js";
import { sampleReading } from "./sample.js";

/** A camera's JPEG to pixels. */
export async function* deviceFigures(): AsyncGenerator<Figure> {
  const [width, height] = [1280, 720];
  // A gradient: noise would not compress as pictures do.
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i / 3) % 256);
  const jpeg = await encodeImage({ width, height, channels: 3, depth: 8, data });
  yield { stage: "device", what: "a 720p JPEG decoded", value: await medianMs(() => decodeImage(jpeg)), unit: "ms" };
}

/** One reading of each modality to a tensor, and the tensor to a vector. */
export async function* towerFigures(bundle: Bundle): AsyncGenerator<Figure> {
  for (const modality of Object.keys(bundle.manifest.towers) as Modality[]) {
    if (modality === "text") continue;
    const { preprocess: recipe } = bundle.tower(modality);
    const reading = sampleReading(modality, recipe);
    const clips = () => fileClips(recipe, reading);
    yield { stage: "window", what: `${modality} preprocessed`, value: await medianMs(clips), unit: "ms" };
    const made = clips();
    const encoded = await medianMs(() => bundle.encode(modality, copyOf(made)));
    yield { stage: "encoder", what: `${modality} window encoded, one thread`, value: encoded, unit: "ms" };
  }
}

/** Words to a vector, the text tower loaded and released each time, as when a concept is added. */
export async function* wordFigures(bundle: Bundle): AsyncGenerator<Figure> {
  if (bundle.manifest.towers.text === undefined) return;
  const value = await medianMs(() => bundle.encodeText(["a dog is barking"]));
  yield { stage: "encoder", what: "a new sentence encoded, text tower loaded for it", value, unit: "ms" };
}

/** How late timers of the main thread are while a model is always running. */
export async function* timerFigures(bundle: Bundle): AsyncGenerator<Figure> {
  const modality = (Object.keys(bundle.manifest.towers) as Modality[]).find((name) => name !== "text");
  if (modality === undefined) return;
  const { preprocess: recipe } = bundle.tower(modality);
  const clips = fileClips(recipe, sampleReading(modality, recipe));
  let going = true;
  const busy = (async () => {
    while (going) await bundle.encode(modality, copyOf(clips));
  })();
  const late: number[] = [];
  for (let i = 0; i < 300; i++) {
    const due = performance.now() + 5;
    await new Promise((resolve) => setTimeout(resolve, 5));
    late.push(performance.now() - due);
  }
  going = false;
  await busy;
  const p99 = late.sort((a, b) => a - b)[Math.floor(late.length * 0.99)]!;
  yield {
    stage: "encoder",
    what: `timer lateness, 99th percentile, while ${modality} is encoded`,
    value: p99,
    unit: "ms",
  };
}

/** An encoder takes its input over, so each run gets its own. */
const copyOf = (feeds: Feeds): Feeds =>
  Object.fromEntries(Object.entries(feeds).map(([name, { dims, data }]) => [name, { dims, data: data.slice() }]));
