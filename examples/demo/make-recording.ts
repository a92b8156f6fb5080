import { parseArgs } from "node:util";
import { hz, micros, type Reading, recordReadings } from "sensebind";
import { sampleTime } from "sensebind/device";
import { depth, depthRate, distanceAt } from "./scene/distance.js";
import { imuRate, motionAt } from "./scene/motion.js";
import { seeded } from "./scene/random.js";
import { scene, start } from "./scene/script.js";
import { soundRate, soundtrack } from "./scene/sound.js";
import { cameraRate, viewAt } from "./scene/views.js";
import { thermal, thermalRate, warmthAt } from "./scene/warmth.js";

/*
 * Makes demo.mcap: npx tsx examples/demo/make-recording.ts --sources <dir> [--out examples/demo/demo.mcap]
 * sources: chelsea.png and coffee.png of the PyPI package scikit-image; espeak-ng and sox must be installed.
 */

const { values } = parseArgs({
  options: { sources: { type: "string" }, out: { type: "string", default: "examples/demo/demo.mcap" } },
});
if (!values.sources) throw new Error("usage: make-recording.ts --sources <dir> [--out <file>]");
const { sources, out } = values;

/** Ticks of a rate over the whole scene: seconds since its start, and event time. */
const ticks = (rate: number): { t: number; time: Reading["time"] }[] =>
  Array.from({ length: scene.seconds * rate }, (_, i) => ({
    t: i / rate,
    time: sampleTime(micros(start), i, hz(rate)),
  }));

async function camera(): Promise<Reading[]> {
  const pictures = ticks(cameraRate).map(
    async ({ t, time }): Promise<Reading> => ({
      kind: "encoded",
      modality: "vision",
      mime: "image/jpeg",
      time,
      data: await viewAt(t, sources!),
    }),
  );
  return Promise.all(pictures);
}

/** Blocks of a tenth of a second. */
function microphone(): Reading[] {
  const sound = soundtrack(seeded(1));
  const size = soundRate / 10;
  return ticks(10).map(({ time }, i) => ({
    kind: "block",
    modality: "audio",
    time,
    channels: ["mono"],
    rate: hz(soundRate),
    data: sound.slice(i * size, (i + 1) * size),
  }));
}

function belt(): Reading[] {
  const random = seeded(2);
  return ticks(10).map(({ t, time }) => ({
    kind: "block",
    modality: "imu",
    time,
    channels: ["ax", "ay", "az", "gx", "gy", "gz"],
    rate: hz(imuRate),
    data: Float32Array.from(Array.from({ length: imuRate / 10 }, (_, i) => motionAt(t + i / imuRate, random)).flat()),
  }));
}

function frames(modality: "thermal" | "depth"): Reading[] {
  const random = seeded(modality === "thermal" ? 3 : 4);
  const [rate, size, at] =
    modality === "thermal" ? ([thermalRate, thermal, warmthAt] as const) : ([depthRate, depth, distanceAt] as const);
  return ticks(rate).map(({ t, time }) => ({
    kind: "frame",
    modality,
    time,
    format: "float32",
    ...size,
    data: at(t, random),
  }));
}

const sensors = {
  camera: { modality: "vision", readings: await camera() },
  mic: { modality: "audio", readings: microphone() },
  belt: { modality: "imu", readings: belt() },
  thermal: { modality: "thermal", readings: frames("thermal") },
  depth: { modality: "depth", readings: frames("depth") },
} as const;

await using recorder = await recordReadings(out, {
  node: "kitchen",
  sensors: Object.fromEntries(
    Object.entries(sensors).map(([id, { modality }]) => [id, { modality, device: "examples/demo/make-recording.ts" }]),
  ),
});
const all = Object.entries(sensors).flatMap(([sensor, { readings }]) =>
  readings.map((reading, seq) => ({ sensor, seq, reading })),
);
for (const reading of all.sort((a, b) => a.reading.time - b.reading.time)) await recorder.write(reading);
