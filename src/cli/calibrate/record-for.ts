import { SenseError } from "../../core/errors.js";
import { merge } from "../../core/stream.js";
import type { Duration } from "../../core/time.js";
import { recordReadings } from "../../device/record.js";
import { openSensors } from "../../pipeline/sensors.js";
import { systemClock } from "../edge.js";
import type { LoadedConfig } from "../load-config.js";
import { stderrLog } from "../pino.js";

export interface RecordForOptions {
  readonly sensors: readonly string[];
  readonly duration: Duration;
  readonly path: string;
  readonly signal: AbortSignal;
  readonly verbose: boolean;
}

/** Records some sensors of a configuration for a time, crash-safe. Throws `BAD_CONFIG` for a sensor that it does not have. */
export async function recordFor(
  { config, folder }: LoadedConfig,
  { sensors, duration, path, signal, verbose }: RecordForOptions,
): Promise<void> {
  const chosen = Object.fromEntries(
    sensors.map((id) => {
      const sensor = config.sensors[id];
      if (sensor !== undefined) return [id, sensor];
      throw new SenseError("BAD_CONFIG", `the configuration has no sensor "${id}"`, {
        hint: `Sensors: ${Object.keys(config.sensors).join(", ")}.`,
      });
    }),
  );
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  signal.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(abort, duration / 1e3);
  try {
    const edge = { signal: stop.signal, clock: systemClock(), log: stderrLog({ verbose }), folder };
    const { readings } = await openSensors({ ...config, sensors: chosen }, edge);
    const about = Object.fromEntries(
      Object.entries(chosen).map(([id, { modality, device }]) => [id, { modality, device }]),
    );
    await using recorder = await recordReadings(path, { node: config.node, sensors: about });
    for await (const reading of merge([...readings.values()], abort)) await recorder.write(reading);
    await recorder.finish();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
