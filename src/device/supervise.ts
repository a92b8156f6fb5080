import { setMaxListeners } from "node:events";
import { SenseError } from "../core/errors.js";
import type { Reading, SensorReading } from "../core/reading.js";
import { type Duration, ms, s } from "../core/time.js";
import { Backlog } from "./backlog.js";
import { chooseModality } from "./choose-modality.js";
import type { Device, DeviceContext, DeviceFacts } from "./define.js";
import { RateMeter, type SensorHealth, type SensorState, stateOf } from "./health.js";
import { parseOptions } from "./options.js";
import { pause } from "./pause.js";
import { Watchdog } from "./watchdog.js";

export interface SuperviseOptions {
  readonly sensor: string;
  /** For the adapter, which checks them. */
  readonly options?: unknown;
  /** Without a reading for this long a live sensor counts as stalled; else eight times its usual interval, at least 2 s. */
  readonly stall?: Duration | undefined;
  /** What happens when readings come faster than they are taken; the adapter's own policy unless given. */
  readonly delivery?: "all" | "latest" | undefined;
  /** Readings, and bytes of readings, that may wait. */
  readonly capacity?: number;
  readonly bytes?: number;
  /** Called when the state or its reason changes. */
  readonly onHealth?: (health: SensorHealth) => void;
}

/** The numbered readings of a sensor, and how it is. It can be iterated once; leaving the loop closes the device. */
export interface Supervised {
  readonly health: SensorHealth;
  /** Whether its readings come in the host's present: not those of a recording that is read as fast as it goes. */
  readonly live: boolean;
  [Symbol.asyncIterator](): AsyncGenerator<SensorReading>;
}

const firstBackoff = ms(500);
const longestBackoff = s(15);
/** How long a device may take to let go after it was told to. */
const grace = s(2);

/**
 * Keeps a device going: a live one that stalls, fails or is unplugged is opened again, waiting longer each time up to 15 s; what is
 * read faster than it is taken waits in a bounded backlog. A recording (`delivery: "all"` of the adapter) ends with its end or its
 * error. Throws `BAD_CONFIG` at once if the options are wrong.
 */
export function supervise(device: Device, options: SuperviseOptions, context: DeviceContext): Supervised {
  return new Supervision(device, options, context);
}

class Supervision implements Supervised {
  readonly #device: Device;
  readonly #options: SuperviseOptions;
  readonly #parsed: unknown;
  readonly #context: DeviceContext;
  readonly #stop = new AbortController();
  readonly #backlog: Backlog<SensorReading>;
  #rate = new RateMeter();
  #state: SensorState = "stalled";
  #reason: string | undefined = "waiting for the first reading";
  #since;
  #readings = 0;
  #reopened = 0;
  #facts: DeviceFacts = {};
  /** Totals of the openings before this one. */
  #before = { lost: 0, corrupt: 0 };

  constructor(device: Device, options: SuperviseOptions, context: DeviceContext) {
    this.#device = device;
    this.#options = options;
    this.#parsed = parseOptions(device, options.options ?? {});
    if (context.modality) chooseModality(device.modalities, context.modality);
    this.#context = context;
    this.#since = context.clock.now();
    // One signal stops every sensor of a node; Node warns from the eleventh listener on.
    setMaxListeners(0, context.signal);
    const { delivery = device.delivery, capacity = 256, bytes = 32 * 2 ** 20 } = options;
    this.#backlog = new Backlog({ delivery, capacity, bytes }, ({ reading }) => reading.data.byteLength);
  }

  get live(): boolean {
    return this.#device.delivery === "latest" || (this.#parsed as { pace?: unknown }).pace === "realtime";
  }

  get health(): SensorHealth {
    return {
      state: this.#state,
      reason: this.#reason,
      since: this.#since,
      readings: this.#readings,
      dropped: this.#backlog.dropped,
      lost: this.#before.lost + (this.#facts.lost ?? 0),
      corrupt: this.#before.corrupt + (this.#facts.corrupt ?? 0),
      reopened: this.#reopened,
      rateHz: this.#rate.rateHz,
      facts: this.#facts,
    };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SensorReading> {
    const abort = (): void => this.#stop.abort();
    this.#context.signal.addEventListener("abort", abort, { once: true });
    if (this.#context.signal.aborted) abort();
    const running = this.#run();
    try {
      yield* this.#backlog;
    } finally {
      abort();
      this.#backlog.close();
      this.#context.signal.removeEventListener("abort", abort);
      await running;
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; failures++) {
      const before = this.#readings;
      try {
        await this.#attempt();
        break;
      } catch (error) {
        if (signal.aborted) break;
        if (this.#device.delivery === "all") return this.#backlog.close(error);
        this.#become(error instanceof Stall ? "stalled" : stateOf(error), messageOf(error));
      }
      if (this.#readings > before) failures = 0;
      await pause(Math.min(firstBackoff * 2 ** failures, longestBackoff) as Duration, signal);
      if (signal.aborted) break;
      this.#reopened += 1;
      this.#before = { lost: this.health.lost, corrupt: this.health.corrupt };
      this.#facts = {};
      this.#rate = new RateMeter();
    }
    this.#backlog.close();
  }

  /** Opens the device and reads it until it ends, fails, stalls or is told to stop, and makes it let go. */
  async #attempt(): Promise<void> {
    const inner = new AbortController();
    const { signal } = this.#stop;
    const watchdog = new Watchdog();
    const pumping = this.#pump(inner.signal, watchdog);
    const stopped = new Promise<void>((resolve, reject) => {
      signal.addEventListener("abort", () => resolve(), { once: true, signal: inner.signal });
      if (this.#device.delivery === "all") return;
      watchdog.watch(this.#options.stall, (span) => reject(new Stall(span)));
    });
    try {
      await Promise.race([pumping, stopped]);
    } finally {
      watchdog.stop();
      inner.abort();
      if (!(await settlesWithin(pumping, grace))) {
        this.#context.log.warn({ sensor: this.#options.sensor }, "the device does not let go");
      }
    }
  }

  async #pump(signal: AbortSignal, watchdog: Watchdog): Promise<void> {
    const tell = (facts: DeviceFacts): void => {
      this.#facts = { ...this.#facts, ...facts };
    };
    for await (const reading of this.#device.readings(this.#parsed, { ...this.#context, signal, tell })) {
      // One that did not let go in time may still speak when another opening has taken its place.
      if (signal.aborted) return;
      watchdog.fed();
      await this.#take(reading);
      watchdog.wait();
    }
  }

  async #take(reading: Reading): Promise<void> {
    this.#rate.add(reading);
    const seq = this.#readings++;
    if (this.#state !== "ok") this.#become("ok", undefined);
    await this.#backlog.put({ sensor: this.#options.sensor, seq, reading });
  }

  #become(state: SensorState, reason: string | undefined): void {
    if (state === this.#state && reason === this.#reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#since = this.#context.clock.now();
    this.#context.log.info({ sensor: this.#options.sensor, state, reason }, "sensor state changed");
    this.#options.onHealth?.(this.health);
  }
}

/** A live device that went silent. */
class Stall extends SenseError {
  constructor(span: Duration) {
    super("DEVICE_FAILED", `gave nothing for ${(span / 1e6).toFixed(1)} s`);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whether the work ends, well or not, within the span. */
async function settlesWithin(work: Promise<unknown>, span: Duration): Promise<boolean> {
  const timeout = new AbortController();
  const settled = work.then(
    () => true,
    () => true,
  );
  const late = pause(span, timeout.signal).then(() => false);
  const result = await Promise.race([settled, late]);
  timeout.abort();
  return result;
}
