import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Anchor, Sensed } from "../../align/pairs/pair.js";
import type { Embedding } from "../../core/embedding.js";
import { isSenseError, SenseError } from "../../core/errors.js";
import { type Duration, micros, minutes } from "../../core/time.js";
import { openBundle } from "../../encoder/bundle.js";
import { bundleId } from "../../encoder/import/bundle-id.js";
import { workerRuntime } from "../../encoder/worker-runtime.js";
import type {
  CalibrationParts,
  CalibrationRequest,
  Calibrations,
  OpenCalibrations,
} from "../../pipeline/calibrations.js";
import { windowOf } from "../../pipeline/node.js";
import type { Calibration } from "../../publish/messages.js";
import { bundleDir } from "../bundles.js";
import { breathing } from "./board.js";
import { calibrate, forget } from "./calibrate.js";
import { factsOf } from "./facts.js";
import { bundleInUse, install, readInstalled, undoInstalled } from "./installed.js";
import { writeOverlay } from "./overlay.js";

/** How long both sensors are watched unless the request says. */
const watchFor = minutes(20);
/** Vectors kept of each side; more give way, the oldest first. */
const most = 20_000;
/** Share of a core that training beside the flow takes. */
const share = 0.5;

interface Task {
  readonly request: CalibrationRequest;
  readonly stop: AbortController;
  readonly windows: Sensed[];
  readonly anchors: Anchor[];
  readonly duration: Duration;
  /** Event time at which collecting began: of the first vector that came. */
  began: number | undefined;
  training: Promise<void> | undefined;
}

/**
 * Calibrations of a running node: the vectors of the flow are the pairs, the camera's and the frozen encoder's of the sensor, so that
 * nothing is computed twice; a head is trained in a worker of its own and put into the running flow.
 */
export const openLiveCalibrations: OpenCalibrations = async (parts) => {
  const { bundles } = await readInstalled(parts.folders.state);
  return new LiveCalibrations(parts, new Map(bundles.map(({ sensor, calibration }) => [sensor, calibration])));
};

class LiveCalibrations implements Calibrations {
  readonly #parts: CalibrationParts;
  readonly #status: Map<string, Calibration>;
  readonly #tasks = new Map<string, Task>();

  constructor(parts: CalibrationParts, status: Map<string, Calibration>) {
    this.#parts = parts;
    this.#status = status;
  }

  async start(request: CalibrationRequest): Promise<void> {
    const { sensor, with: camera, duration = watchFor } = request;
    const { config } = this.#parts;
    if (config.sensors[camera]?.modality !== "vision") {
      throw new SenseError("BAD_ARGUMENT", `${camera} is no camera`, {
        hint: "Give the camera that looks at the same place.",
      });
    }
    if (config.sensors[sensor]?.modality === "vision") {
      throw new SenseError("BAD_ARGUMENT", `${sensor} is a camera: its space is the one that others are bound to`);
    }
    if (this.#tasks.size > 0) {
      const [busy] = this.#tasks.keys();
      throw new SenseError("COMMAND_BUSY", `${busy} is being calibrated`, {
        hint: "Wait until it is done, or stop it.",
      });
    }
    this.#tasks.set(sensor, {
      ...{ request, duration, windows: [], anchors: [], began: undefined, training: undefined },
      stop: new AbortController(),
    });
    this.#say(sensor, { state: "collecting", with: camera, progress: 0, pairs: 0, scenes: 0 });
  }

  async stop(sensor: string): Promise<void> {
    const task = this.#tasks.get(sensor);
    if (task === undefined) throw new SenseError("BAD_ARGUMENT", `${sensor} is not being calibrated`);
    this.#tasks.delete(sensor);
    task.stop.abort();
    await task.training;
    this.#say(sensor, { ...this.#last(sensor), state: "stopped" });
  }

  async undo(sensor: string): Promise<void> {
    const { folders, config, node } = this.#parts;
    await undoInstalled(folders.state, sensor);
    const dir = await bundleInUse(folders.state, await bundleDir(config.bundle, folders.files));
    const { modality } = config.sensors[sensor]!;
    await node.bundle.exchange(await openBundle(dir, node.runtime, this.#bundleOptions()), modality);
    this.#say(sensor, { ...this.#last(sensor), state: "undone" });
  }

  status(): Readonly<Record<string, Calibration>> {
    return Object.fromEntries(this.#status);
  }

  reading(): void {}

  embedding({ sensor, from, to, vector }: Embedding): void {
    for (const [name, task] of this.#tasks) {
      if (task.training !== undefined || (sensor !== name && sensor !== task.request.with)) continue;
      const time = micros((from + to) / 2);
      task.began ??= time;
      if (sensor === name) keep(task.windows, { time, input: { dims: [1, vector.length], data: vector } });
      else keep(task.anchors, { time, vector });
      const done = Math.min(1, (time - task.began) / task.duration);
      const before = this.#last(name).progress;
      if (Math.floor(done * 20) > Math.floor(before * 20)) {
        this.#say(name, {
          ...this.#last(name),
          progress: done,
          pairs: Math.min(task.windows.length, task.anchors.length),
        });
      }
      if (done >= 1) task.training = this.#train(name, task);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { stop } of this.#tasks.values()) stop.abort();
    await Promise.all([...this.#tasks.values()].map(({ training }) => training));
  }

  /** Never rejects: how it went is told. */
  async #train(sensor: string, task: Task): Promise<void> {
    try {
      await this.#trained(sensor, task);
    } catch (error) {
      if (task.stop.signal.aborted) return;
      const { code, message, hint } = isSenseError(error)
        ? error
        : { code: "INTERNAL", message: (error as Error).message, hint: undefined };
      this.#parts.log.warn({ sensor, code, why: message }, "the calibration failed");
      this.#say(sensor, { ...this.#last(sensor), state: "failed", error: { code, message, ...(hint && { hint }) } });
    } finally {
      this.#tasks.delete(sensor);
    }
  }

  async #trained(sensor: string, task: Task): Promise<void> {
    const { config, node, folders } = this.#parts;
    const { bundle } = node;
    const camera = task.request.with;
    const settings = config.sensors[sensor]!;
    const tower = bundle.tower(settings.modality);
    const { signal } = task.stop;
    const now = (): number => performance.now();
    const [work, out] = await this.#folders(sensor);
    await using runtime = await workerRuntime({ workers: 1, threads: 1 });
    const made = await calibrate(
      {
        modality: settings.modality,
        recipe: tower.preprocess,
        window: windowOf(settings, tower),
        windows: task.windows,
        anchors: task.anchors,
        timed: true,
        encoded: true,
      },
      {
        ...{ sensor, camera, target: "head", collect: { tolerance: toleranceOf(tower.window?.hop) }, seed: 1, signal },
        onPairs: ({ train, heldOut, counts }) =>
          this.#say(sensor, {
            ...{ state: "training", with: camera, progress: 0 },
            ...{ pairs: train.length + heldOut.length, scenes: counts.scenes },
          }),
        onProgress: ({ step, steps, loss, secondsLeft }) =>
          this.#say(sensor, { ...this.#last(sensor), progress: step / steps, loss, secondsLeft }),
      },
      { bundle, runtime, work, now, breathe: breathing({ share, signal, now }) },
    );
    const words = Object.entries(config.concepts).flatMap(([concept, { texts }]) =>
      texts.length > 0 ? [{ concept, texts }] : [],
    );
    const facts = await factsOf(made, { sensor, camera, bundle, id: bundleId(out), words, seed: 1 });
    await writeOverlay(made, { bundle, runtime, out, facts });
    await bundle.exchange(await openBundle(out, node.runtime, this.#bundleOptions()), settings.modality);
    const { before, after } = facts.recall;
    const recall = { before: before?.at1 ?? 0, after: after.at1 };
    this.#say(sensor, { ...this.#last(sensor), state: "installed", progress: 1, secondsLeft: 0, recall });
    await install(folders.state, { sensor, dir: out, calibration: this.#status.get(sensor)! });
    await forget(work);
  }

  async #folders(sensor: string): Promise<[work: string, out: string]> {
    const { folders, clock } = this.#parts;
    const dir = join(folders.state, "bundles");
    await mkdir(dir, { recursive: true });
    const name = `${sensor}-${Math.floor(clock.now() / 1e6)}`;
    return [join(dir, `${sensor}.calibrating`), join(dir, name)];
  }

  #bundleOptions() {
    const { config, folders } = this.#parts;
    const { providers, threads } = config.runtime;
    return { session: { providers, threads }, cacheDir: join(folders.state, "texts") };
  }

  #last(sensor: string): Omit<Calibration, "v" | "since"> {
    const { v: _, since: __, ...rest } = this.#status.get(sensor)!;
    return rest;
  }

  #say(sensor: string, next: Omit<Calibration, "v" | "since">): void {
    const before = this.#status.get(sensor);
    const since = before?.state === next.state ? before.since : this.#parts.clock.now();
    const calibration: Calibration = { v: 1, since, ...next };
    this.#status.set(sensor, calibration);
    this.#parts.tell(sensor, calibration);
  }
}

/** A window and a frame lie at most half a hop apart where both run; a little more for jitter. */
const toleranceOf = (hop: Duration | undefined): Duration => Math.max(250_000, (hop ?? 0) * 0.6) as Duration;

function keep<T>(all: T[], one: T): void {
  all.push(one);
  if (all.length > most) all.shift();
}
