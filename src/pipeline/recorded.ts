import type { Embedding } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import type { RecordedSensor } from "../core/recording.js";
import { nearest } from "../core/suggest.js";
import type { Duration } from "../core/time.js";
import { recordedSensors, replayReadings } from "../device/replay.js";
import type { Bundle } from "../encoder/bundle.js";
import { HotBundle } from "../encoder/hot-bundle.js";
import { slideCounters } from "../window/cut.js";
import { perceive } from "./perceive.js";

export interface RecordedOptions {
  readonly sensor: string;
  /** The encoder's own unless given. */
  readonly window?: { readonly length: Duration; readonly hop: Duration } | undefined;
}

/** What a recording says of one of its sensors. Throws `BAD_RECORDING`, `BAD_ARGUMENT` for one that it does not have. */
export async function recordedSensor(path: string, sensor: string): Promise<RecordedSensor> {
  const sensors = await recordedSensors(path);
  const about = Object.hasOwn(sensors, sensor) ? sensors[sensor] : undefined;
  if (about) return about;
  const near = nearest(sensor, Object.keys(sensors));
  throw new SenseError("BAD_ARGUMENT", `the recording ${path} has no sensor "${sensor}"`, {
    hint: near ? `Did you mean "${near}"?` : `It has ${Object.keys(sensors).join(", ")}.`,
  });
}

/** The windows of one sensor of a recording as vectors, in the order of time. Throws `BAD_RECORDING`, `BAD_ARGUMENT`. */
export async function* recordedEmbeddings(
  path: string,
  bundle: Bundle,
  { sensor, window }: RecordedOptions,
): AsyncGenerator<Embedding> {
  const { modality } = await recordedSensor(path, sensor);
  const cut = window ??
    bundle.forSensor(sensor).tower(modality).window ?? { length: 1e6 as Duration, hop: 1e6 as Duration };
  const readings = replayReadings(path, { sensor });
  const flow = { id: sensor, modality, readings, window: cut, coverage: 0.8, counters: slideCounters() };
  for await (const item of perceive(flow, new HotBundle(bundle))) if (item.kind === "embedding") yield item.embedding;
}
