import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Embedding } from "../../core/embedding.js";
import { isSenseError, SenseError } from "../../core/errors.js";
import { minutes } from "../../core/time.js";
import type { WindowQuality } from "../../core/window.js";
import { openBundle } from "../../encoder/bundle.js";
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
import { learnBeside, type Watched } from "./beside.js";
import { forget } from "./calibrate.js";
import { Collecting } from "./collecting.js";
import { bundleOf, type Installed, readInstalled, takenBack, withNewest, writeInstalled } from "./installed.js";
import { checkAsked, lentTo, memoryFor } from "./live-options.js";
import { forgetUnderWay, noteUnderWay, readUnderWay } from "./under-way.js";

/** How long both sensors are watched unless the request says. */
const watchFor = minutes(20);
/** Times that one is begun before it is given up: it may be what brings the node down. */
const mostBegun = 3;

interface Task extends Watched {
  readonly stop: AbortController;
  training: Promise<void> | undefined;
}

/**
 * Calibrations of a running node. The vectors of the flow are the pairs, so that nothing is computed twice: the camera's, and the
 * frozen encoder's of the sensor, for which a head is trained; a sensor that has no encoder gets one from nothing. It is trained in
 * a worker of its own and put into the running flow.
 */
export const openLiveCalibrations: OpenCalibrations = async (parts) => {
  const { config, node, folders, clock } = parts;
  const installed = await readInstalled(folders.state);
  const inUse = await bundleOf(installed, await bundleDir(config.bundle, folders.files));
  // Of another configured bundle, nothing of what was installed applies.
  const bundles = installed.bundles.at(-1)?.dir === inUse ? installed.bundles : [];
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
    if (left === undefined) return;
    try {
      if (left.begun >= mostBegun || config.sensors[left.sensor] === undefined) {
        throw new SenseError("COMMAND_FAILED", `it was cut off ${left.begun} times`);
      }
      await this.#begin(left, left.begun + 1);
      log.info({ ...left }, "the calibration that was cut off begins anew");
    } catch (error) {
      log.warn({ ...left, why: (error as Error).message }, "the calibration that was cut off is given up");
      await this.#forgetUnderWay();
    }
  }

  start(request: CalibrationRequest): Promise<void> {
    return this.#begin(request, 1);
  }

  async #begin({ sensor, with: camera, duration = watchFor }: CalibrationRequest, begun: number): Promise<void> {
    const { config, node, folders } = this.#parts;
    const settings = config.sensors[sensor]!;
    checkAsked(config, { sensor, camera });
    const lent = await lentTo(sensor, settings, node);
    const span = windowOf(settings, node.bundle.forSensor(sensor));
    const stop = new AbortController();
    const collecting = new Collecting(
      { sensor, camera },
      { span, duration, lent, signal: stop.signal, room: memoryFor(config) / 4 },
    );
    try {
      this.#refuseWhileBusy();
      this.#tasks.set(sensor, { camera, collecting, lent, stop, training: undefined });
      await mkdir(folders.state, { recursive: true });
      await noteUnderWay(folders.state, { sensor, with: camera, duration, begun });
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
    await task.training;
    await this.#over(sensor, task);
    this.#say(sensor, { ...this.#last(sensor), state: "stopped" });
  }

  async undo(sensor: string): Promise<void> {
    this.#refuseWhileBusy();
    const { folders, config } = this.#parts;
    const left = takenBack(await readInstalled(folders.state), sensor);
    await this.#put(await bundleOf(left, await bundleDir(config.bundle, folders.files)), sensor, left);
    this.#say(sensor, { ...this.#last(sensor), state: "undone" });
  }

  status(): Readonly<Record<string, Calibration>> {
    return Object.fromEntries(this.#status);
  }

  embedding(embedding: Embedding, quality?: WindowQuality): void {
    for (const [name, task] of this.#tasks) {
      if (task.training === undefined) this.#collected(name, task, () => task.collecting.embedding(embedding, quality));
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
      task.training = this.#ended(sensor, task, { error });
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
    await this.#ended(sensor, task, failure);
  }

  async #ended(sensor: string, task: Task, failure: { readonly error: unknown } | undefined): Promise<void> {
    // Who stops it says so; a node that stops goes on with it when it starts again.
    if (task.stop.signal.aborted || this.#parts.signal.aborted) return;
    await this.#over(sensor, task);
    if (failure !== undefined) this.#failed(sensor, failure.error);
  }

  async #over(sensor: string, { lent }: Task): Promise<void> {
    await lent?.[Symbol.asyncDispose]();
    await this.#forgetUnderWay();
    this.#tasks.delete(sensor);
  }

  async #forgetUnderWay(): Promise<void> {
    const { folders, log } = this.#parts;
    await forgetUnderWay(folders.state).catch(({ message }: Error) => log.warn({ why: message }, "a note stays"));
  }

  #refuseWhileBusy(): void {
    const [busy] = this.#tasks.keys();
    if (busy === undefined) return;
    throw new SenseError("COMMAND_BUSY", `${busy} is being calibrated`, { hint: "Wait until it is done, or stop it." });
  }

  #failed(sensor: string, error: unknown): void {
    const { code, message, hint } = isSenseError(error)
      ? error
      : { code: "INTERNAL", message: (error as Error).message, hint: undefined };
    this.#parts.log.warn({ sensor, code, why: message }, "the calibration failed");
    this.#say(sensor, { ...this.#last(sensor), state: "failed", error: { code, message, ...(hint && { hint }) } });
  }

  async #trained(sensor: string, task: Task): Promise<void> {
    const [work, out] = await this.#folders(sensor);
    try {
      await this.#learned(sensor, task, [work, out]);
    } finally {
      // What the flow gave does not come again: there is nothing to go on from.
      await forget(work);
    }
  }

  async #learned(sensor: string, task: Task, folders: readonly [work: string, out: string]): Promise<void> {
    const { camera, stop } = task;
    const signal = AbortSignal.any([stop.signal, this.#parts.signal]);
    const recall = await learnBeside(sensor, task, {
      ...{ ...this.#parts, folders, signal },
      onPairs: ({ train, heldOut, counts }) =>
        this.#say(sensor, {
          ...{ state: "training", with: camera, progress: 0 },
          ...{ pairs: train.length + heldOut.length, scenes: counts.scenes },
        }),
      onProgress: ({ step, steps, loss, heldOut, secondsLeft }) =>
        this.#say(sensor, { ...this.#last(sensor), progress: step / steps, loss, heldOut, secondsLeft }),
    });
    signal.throwIfAborted();
    const done = { ...this.#last(sensor), state: "installed", progress: 1, secondsLeft: 0, recall } as const;
    const installed = await readInstalled(this.#parts.folders.state);
    const [, dir] = folders;
    await this.#put(dir, sensor, withNewest(installed, { sensor, dir, calibration: this.#since(sensor, done) }));
    await this.#forgetUnderWay();
    this.#say(sensor, done);
  }

  /**
   * Puts the bundle in a folder into the running flow. On disk first: what is said to be installed is still there after a power cut,
   * and a full disk changes nothing.
   */
  async #put(dir: string, sensor: string, installed: Installed): Promise<void> {
    const { config, folders, node, settings } = this.#parts;
    const { providers, threads } = config.runtime;
    const before = await readInstalled(folders.state);
    await writeInstalled(folders.state, installed);
    try {
      const options = { session: { providers, threads }, cacheDir: join(folders.state, "texts") };
      await settings.exchange(await openBundle(dir, node.runtime, options), sensor);
    } catch (error) {
      await writeInstalled(folders.state, before);
      throw error;
    }
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
