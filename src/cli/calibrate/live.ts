import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Embedding } from "../../core/embedding.js";
import { isSenseError, SenseError } from "../../core/errors.js";
import { minutes } from "../../core/time.js";
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
import { isUnbound } from "../../pipeline/unbound.js";
import type { Calibration } from "../../publish/messages.js";
import type { Cut } from "../../window/cut.js";
import { bundleDir } from "../bundles.js";
import { breathing } from "./board.js";
import { calibrate, forget } from "./calibrate.js";
import { Collecting } from "./collecting.js";
import { factsOf } from "./facts.js";
import { afterFailure } from "./full-disk.js";
import type { Gathered } from "./gathered.js";
import { bundleOf, install, readInstalled, takenBack, writeInstalled } from "./installed.js";
import type { LentBundle } from "./lent.js";
import { checkAsked, hasFellows, learnedFrom, lentTo, toleranceOf } from "./live-options.js";
import { usualMemory } from "./memory.js";
import { writeOverlay } from "./overlay.js";
import { forgetUnderWay, noteUnderWay, readUnderWay } from "./under-way.js";

/** How long both sensors are watched unless the request says. */
const watchFor = minutes(20);

interface Task {
  readonly camera: string;
  readonly stop: AbortController;
  readonly collecting: Collecting;
  /** The camera's encoder, where it looks at the sensor's maps in the place of one of its own. */
  readonly lent: LentBundle | undefined;
  training: Promise<void> | undefined;
}

/**
 * Calibrations of a running node. The vectors of the flow are the pairs, so that nothing is computed twice: the camera's, and the
 * frozen encoder's of the sensor, for which a head is trained; a sensor that has no encoder gets one from nothing. It is trained in
 * a worker of its own and put into the running flow.
 */
export const openLiveCalibrations: OpenCalibrations = async (parts) => {
  const { config, node, folders, clock } = parts;
  const { bundles } = await readInstalled(folders.state);
  const status = new Map(bundles.map(({ sensor, calibration }) => [sensor, calibration]));
  for (const [sensor, settings] of Object.entries(config.sensors)) {
    if (!isUnbound(settings, node.bundle.forSensor(sensor))) continue;
    status.set(sensor, { v: 1, state: "unbound", since: clock.now(), with: settings.bind!, ...nothingYet });
  }
  const calibrations = new LiveCalibrations(parts, status);
  await calibrations.takeUp();
  return calibrations;
};

const nothingYet = { progress: 0, pairs: 0, scenes: 0 };

class LiveCalibrations implements Calibrations {
  readonly #parts: CalibrationParts;
  readonly #status: Map<string, Calibration>;
  readonly #tasks = new Map<string, Task>();

  constructor(parts: CalibrationParts, status: Map<string, Calibration>) {
    this.#parts = parts;
    this.#status = status;
  }

  /** Begins anew what the last run was cut off in: nobody may be there to ask for it again. */
  async takeUp(): Promise<void> {
    const { config, folders, log } = this.#parts;
    const left = await readUnderWay(folders.state);
    if (left === undefined || config.sensors[left.sensor] === undefined) return;
    try {
      await this.start(left);
      log.info({ ...left }, "the calibration that was cut off begins anew");
    } catch (error) {
      log.warn({ ...left, why: (error as Error).message }, "the calibration that was cut off cannot be taken up");
    }
  }

  async start({ sensor, with: camera, duration = watchFor }: CalibrationRequest): Promise<void> {
    const { config, node, folders } = this.#parts;
    const settings = config.sensors[sensor]!;
    checkAsked(config, { sensor, camera });
    const lent = await lentTo(sensor, settings, node);
    const span = windowOf(settings, node.bundle.forSensor(sensor));
    const stop = new AbortController();
    const collecting = new Collecting({ sensor, camera }, { span, duration, lent, signal: stop.signal });
    try {
      if (this.#tasks.size > 0) {
        const [busy] = this.#tasks.keys();
        throw new SenseError("COMMAND_BUSY", `${busy} is being calibrated`, {
          hint: "Wait until it is done, or stop it.",
        });
      }
      this.#tasks.set(sensor, { camera, collecting, lent, stop, training: undefined });
      await mkdir(folders.state, { recursive: true });
      await noteUnderWay(folders.state, { sensor, with: camera, duration });
    } catch (error) {
      if (this.#tasks.get(sensor)?.stop === stop) this.#tasks.delete(sensor);
      await lent?.[Symbol.asyncDispose]();
      throw error;
    }
    this.#say(sensor, { state: "collecting", with: camera, ...nothingYet });
  }

  async stop(sensor: string): Promise<void> {
    const task = this.#tasks.get(sensor);
    if (task === undefined) {
      throw new SenseError("BAD_ARGUMENT", `${sensor} is not being calibrated`, {
        hint: "`calibrate/status` tells what is.",
      });
    }
    task.stop.abort();
    await this.#over(sensor);
    await task.training;
    this.#say(sensor, { ...this.#last(sensor), state: "stopped" });
  }

  async undo(sensor: string): Promise<void> {
    const { folders, config } = this.#parts;
    const left = takenBack(await readInstalled(folders.state), sensor);
    await this.#exchange(await bundleOf(left, await bundleDir(config.bundle, folders.files)), sensor);
    await writeInstalled(folders.state, left);
    this.#say(sensor, { ...this.#last(sensor), state: "undone" });
  }

  status(): Readonly<Record<string, Calibration>> {
    return Object.fromEntries(this.#status);
  }

  embedding(embedding: Embedding): void {
    for (const [name, task] of this.#tasks) {
      if (task.training === undefined) this.#collected(name, task, () => task.collecting.embedding(embedding));
    }
  }

  window(cut: Cut): void {
    for (const [name, task] of this.#tasks) {
      if (task.training === undefined) this.#collected(name, task, () => task.collecting.window(cut));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const tasks = [...this.#tasks.values()];
    for (const { stop } of tasks) stop.abort();
    await Promise.all(tasks.map(({ training }) => training));
    await Promise.all(tasks.map(({ lent }) => lent?.[Symbol.asyncDispose]()));
  }

  #collected(sensor: string, task: Task, take: () => void): void {
    try {
      take();
    } catch (error) {
      void this.#over(sensor);
      this.#failed(sensor, error);
      return;
    }
    const { done, pairs, scenes } = task.collecting;
    if (Math.floor(done * 20) > Math.floor(this.#last(sensor).progress * 20)) {
      this.#say(sensor, { ...this.#last(sensor), progress: done, pairs, scenes });
    }
    if (done >= 1) task.training = this.#train(sensor, task);
  }

  /** Never rejects: how it went is told. */
  async #train(sensor: string, task: Task): Promise<void> {
    const failure = await this.#trained(sensor, task).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    // A node that stops goes on with it when it starts again.
    if (task.stop.signal.aborted) return;
    await this.#over(sensor);
    if (failure !== undefined) this.#failed(sensor, failure.error);
  }

  async #over(sensor: string): Promise<void> {
    const { folders, log } = this.#parts;
    const task = this.#tasks.get(sensor);
    this.#tasks.delete(sensor);
    await task?.lent?.[Symbol.asyncDispose]();
    await forgetUnderWay(folders.state).catch((error: Error) =>
      log.warn({ why: error.message }, "the next start calibrates again"),
    );
  }

  #failed(sensor: string, error: unknown): void {
    const { code, message, hint } = isSenseError(error)
      ? error
      : { code: "INTERNAL", message: (error as Error).message, hint: undefined };
    this.#parts.log.warn({ sensor, code, why: message }, "the calibration failed");
    this.#say(sensor, { ...this.#last(sensor), state: "failed", error: { code, message, ...(hint && { hint }) } });
  }

  async #trained(sensor: string, { camera, collecting, lent, stop: { signal } }: Task): Promise<void> {
    const { config, settings, node, folders, log } = this.#parts;
    const { share, time, maxMegabytes } = config.calibrate;
    const memory = maxMegabytes === undefined ? usualMemory() : maxMegabytes * 2 ** 20;
    const had = node.bundle.forSensor(sensor);
    const bundle = lent ?? had;
    const gathered = await this.#gathered(sensor, collecting);
    if (collecting.spoilt > 0) log.warn({ sensor, windows: collecting.spoilt }, "windows that could not be used");
    const now = (): number => performance.now();
    const [work, out] = await this.#folders(sensor);
    await using runtime = await workerRuntime({ workers: 1, threads: 1 });
    const made = await calibrate(
      gathered,
      {
        ...{ sensor, camera, seed: 1, signal, memory, target: lent ? "camera" : learnedFrom(gathered, bundle) },
        collect: { tolerance: toleranceOf(gathered) },
        ...(time !== undefined && { time }),
        onReduced: (what) => log.info({ sensor, what }, "to keep to the memory for calibrations"),
        onPairs: ({ train, heldOut, counts }) =>
          this.#say(sensor, {
            ...{ state: "training", with: camera, progress: 0 },
            ...{ pairs: train.length + heldOut.length, scenes: counts.scenes },
          }),
        onProgress: ({ step, steps, loss, heldOut, secondsLeft }) =>
          this.#say(sensor, { ...this.#last(sensor), progress: step / steps, loss, heldOut, secondsLeft }),
      },
      { bundle, had, runtime, work, now, breathe: breathing({ share, signal, now }) },
    );
    const words = Object.entries(settings.concepts).flatMap(([concept, { texts }]) =>
      texts.length > 0 ? [{ concept, texts }] : [],
    );
    const facts = await factsOf(made, { sensor, camera, bundle, id: bundleId(out), words, seed: 1 });
    const options = { bundle, runtime, out, facts, alone: hasFellows(config, sensor), more: lent?.more ?? [] };
    await writeOverlay(made, options).catch(async (error: unknown) => {
      throw await afterFailure(error, out);
    });
    await this.#exchange(out, sensor);
    const { before, after } = facts.recall;
    const recall = { before: before?.at1 ?? 0, after: after.at1 };
    const installed = { ...this.#last(sensor), state: "installed", progress: 1, secondsLeft: 0, recall } as const;
    // On disk before anyone is told: what is said to be installed is still there after a power cut.
    await install(folders.state, { sensor, dir: out, calibration: this.#since(sensor, installed) });
    await forgetUnderWay(folders.state);
    this.#say(sensor, installed);
    await forget(work);
  }

  async #gathered(sensor: string, collecting: Collecting): Promise<Gathered> {
    const { config, node } = this.#parts;
    await collecting.ready();
    const { windows, anchors, recipe, encoded } = collecting;
    const settings = config.sensors[sensor]!;
    const { modality } = settings;
    const bundle = node.bundle.forSensor(sensor);
    return {
      ...{ modality, windows, anchors, timed: true, window: windowOf(settings, bundle) },
      ...{ recipe: recipe ?? bundle.tower(modality).preprocess, encoded },
    };
  }

  /** Puts the bundle in a folder into the running flow. */
  async #exchange(dir: string, sensor: string): Promise<void> {
    const { config, folders, node, settings } = this.#parts;
    const { providers, threads } = config.runtime;
    const options = { session: { providers, threads }, cacheDir: join(folders.state, "texts") };
    await settings.exchange(await openBundle(dir, node.runtime, options), sensor);
  }

  async #folders(sensor: string): Promise<[work: string, out: string]> {
    const { folders, clock } = this.#parts;
    const dir = join(folders.state, "bundles");
    await mkdir(dir, { recursive: true });
    const name = `${sensor}-${Math.floor(clock.now() / 1e6)}`;
    return [join(dir, `${sensor}.calibrating`), join(dir, name)];
  }

  #last(sensor: string): Omit<Calibration, "v" | "since"> {
    const { v: _, since: __, ...rest } = this.#status.get(sensor)!;
    return rest;
  }

  #say(sensor: string, next: Omit<Calibration, "v" | "since">): void {
    const calibration = this.#since(sensor, next);
    this.#status.set(sensor, calibration);
    this.#parts.tell(sensor, calibration);
  }

  #since(sensor: string, next: Omit<Calibration, "v" | "since">): Calibration {
    const before = this.#status.get(sensor);
    return { v: 1, since: before?.state === next.state ? before.since : this.#parts.clock.now(), ...next };
  }
}
