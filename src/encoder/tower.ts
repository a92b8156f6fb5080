import { join } from "node:path";
import { SenseError } from "../core/errors.js";
import type { Tensor } from "../core/tensor.js";
import type { Tower } from "./manifest.js";
import { rowsOf, sliceRows } from "./rows.js";
import type { Feeds, Runtime, Session, SessionOptions } from "./runtime.js";

/** Rows that go through a tower in one run. */
const batch = 32;

export interface TowerOptions {
  readonly dir: string;
  readonly dim: number;
  readonly session: SessionOptions;
}

/** The loaded graphs of one modality. Single-use: after `dispose` it is gone. */
export class LoadedTower implements AsyncDisposable {
  readonly #tower: Tower;
  readonly #dim: number;
  readonly #sessions: readonly Session[];

  private constructor(tower: Tower, dim: number, sessions: readonly Session[]) {
    this.#tower = tower;
    this.#dim = dim;
    this.#sessions = sessions;
  }

  static async load(tower: Tower, runtime: Runtime, { dir, dim, session }: TowerOptions): Promise<LoadedTower> {
    const sessions: Session[] = [];
    try {
      for (const graph of tower.graphs) sessions.push(await runtime.load(join(dir, graph), session));
      return new LoadedTower(tower, dim, sessions);
    } catch (error) {
      await Promise.allSettled(sessions.map((loaded) => loaded[Symbol.asyncDispose]()));
      throw error;
    }
  }

  /** The output of every row of the inputs, as the graphs give it: `[dim]`, of any length. Takes the inputs over. */
  async rows(inputs: Feeds, signal?: AbortSignal): Promise<readonly Float32Array[]> {
    const count = rowsOf(inputs);
    const atOnce = this.#sessions.some(takesOneRow) ? 1 : batch;
    if (count <= atOnce) return this.#run(inputs, count, signal);
    const starts = Array.from({ length: Math.ceil(count / atOnce) }, (_, i) => i * atOnce);
    const parts: (readonly Float32Array[])[] = [];
    for (const from of starts) {
      const to = Math.min(from + atOnce, count);
      parts.push(await this.#run(sliceRows(inputs, from, to), to - from, signal));
    }
    return parts.flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session[Symbol.asyncDispose]()));
  }

  async #run(inputs: Feeds, count: number, signal?: AbortSignal): Promise<readonly Float32Array[]> {
    let known: Feeds = inputs;
    let last: readonly string[] = [];
    for (const session of this.#sessions) {
      known = { ...known, ...(await session.run(feedsFor(session, known, last), signal)) };
      last = session.outputs;
    }
    return this.#split(known[this.#tower.output], count);
  }

  #split(output: Tensor | undefined, count: number): readonly Float32Array[] {
    const dim = this.#dim;
    const data = output?.data;
    if (!(data instanceof Float32Array) || data.length !== count * dim) {
      const given = output === undefined ? "there is none" : `it is [${output.dims.join(", ")}]`;
      throw new SenseError(
        "MODEL_MISMATCH",
        `output "${this.#tower.output}" of ${this.#tower.graphs.at(-1)} should be float32 [${count}, ${dim}], but ${given}`,
        { hint: "The manifest and the graphs of the bundle do not belong together." },
      );
    }
    return Array.from({ length: count }, (_, row) => data.subarray(row * dim, (row + 1) * dim));
  }
}

/** What a graph takes from the tower's inputs and earlier outputs, by name; a sole output also fits a sole other name. */
function feedsFor(session: Session, known: Feeds, last: readonly string[]): Feeds {
  const sole = last.length === 1 ? last[0] : undefined;
  const named = session.inputs.map((name) => [name, known[name] ?? (sole === undefined ? undefined : known[sole])]);
  return Object.fromEntries(named.filter(([, tensor]) => tensor !== undefined));
}

/** A graph that was exported for one clip at a time. */
const takesOneRow = ({ shapes }: Session): boolean => Object.values(shapes).some(([rows]) => rows === 1);
