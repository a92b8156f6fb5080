import type { Config } from "../config.js";
import { Channel } from "../core/channel.js";
import { SenseError } from "../core/errors.js";
import type { Log } from "../core/log.js";
import { type Clock, ms } from "../core/time.js";
import type { SensorHealth } from "../device/health.js";
import { openDevice } from "../device/open.js";
import { type Supervised, supervise } from "../device/supervise.js";
import type { News } from "./news.js";

/** What the world gives a flow. */
export interface Edge {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** Relative paths in the configuration start here. */
  readonly folder: string;
}

/** The configured sensors, opened and supervised. */
export interface OpenSensors {
  readonly readings: ReadonlyMap<string, Supervised>;
  /** Health and ticks; closed when the sensors have ended. */
  readonly news: Channel<News>;
  /** Whether any of them lives in the present: recordings read as fast as they go have no use for the host's clock. */
  readonly live: boolean;
}

/** News that may wait for a flow that is busy; health repeats itself, ticks are worth little when they are late. */
const newsLimit = 1000;
const tickEvery = ms(250);

/** Opens every sensor of a configuration. Throws `BAD_CONFIG`, `DEVICE_UNKNOWN`, `MODALITY_UNSUPPORTED`. */
export async function openSensors(config: Pick<Config, "sensors">, edge: Edge): Promise<OpenSensors> {
  const news = new Channel<News>(newsLimit);
  const readings = new Map<string, Supervised>();
  let live = false;
  for (const [sensor, { device: name, modality, options, stall }] of Object.entries(config.sensors)) {
    const device = await openDevice(name, { folder: edge.folder });
    if (!device.modalities.includes(modality)) {
      throw new SenseError("MODALITY_UNSUPPORTED", `sensors.${sensor}: ${name} cannot give ${modality}`, {
        hint: `It gives ${device.modalities.join(", ")}.`,
      });
    }
    const onHealth = (health: SensorHealth): void => news.put({ kind: "health", at: edge.clock.now(), sensor, health });
    const supervised = supervise(device, { sensor, options, stall, onHealth }, { ...edge, modality });
    readings.set(sensor, supervised);
    live ||= supervised.live;
  }
  if (live) tick(news, edge);
  return { readings, news, live };
}

function tick(news: Channel<News>, { clock, signal }: Edge): void {
  const timer = setInterval(() => {
    if (news.closed) clearInterval(timer);
    else news.put({ kind: "tick", at: clock.now() });
  }, tickEvery / 1e3);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
