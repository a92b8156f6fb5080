import { join } from "node:path";
import type { Tensor } from "../../core/tensor.js";
import { saveModel } from "../../onnx/file.js";
import type { Parameter } from "../net/net.js";
import { Copies, copied } from "./copies.js";
import type { Engine, EngineSession } from "./engine.js";
import { type StepGraph, type StepInput, type StepOptions, stepGraph } from "./step-graph.js";

/** Weights, moments and the number of steps taken: all that a training needs to go on. */
export interface TrainingState {
  readonly taken: number;
  /** By name of the graph's input, `w.*`, `m.*` and `v.*`. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

export interface TrainerParts {
  readonly engine: Engine;
  /** Where the graph is written, since engines load files. */
  readonly folder: string;
}

/** Training steps on one engine. Single-use: after `dispose` it is gone. */
export class Trainer implements AsyncDisposable {
  readonly #session: EngineSession;
  readonly #step: StepGraph;
  readonly #inputs: readonly StepInput[];
  readonly #copies = new Copies();
  #state: TrainingState;

  private constructor(session: EngineSession, step: StepGraph, inputs: readonly StepInput[], state: TrainingState) {
    this.#session = session;
    this.#step = step;
    this.#inputs = inputs;
    this.#state = state;
  }

  static async open(
    parameters: readonly Parameter[],
    options: StepOptions,
    { engine, folder }: TrainerParts,
  ): Promise<Trainer> {
    const step = stepGraph(parameters, options);
    const path = join(folder, "step.onnx");
    await saveModel(step.graph, path, { external: "step.onnx.data" });
    const vectors = new Map<string, Float32Array>();
    for (const [i, vector] of step.packing.pack(parameters).entries()) {
      const { name, size } = step.packing.tensors[i]!;
      vectors.set(`w.${name}`, vector);
      for (const part of ["m", "v"]) vectors.set(`${part}.${name}`, new Float32Array(size));
    }
    return new Trainer(await engine.load(path, { threads: 1 }), step, options.inputs, { taken: 0, vectors });
  }

  /** Steps taken so far. */
  get taken(): number {
    return this.#state.taken;
  }

  /** Runs as many steps as the graph holds on batches `[steps * accumulate, ...dims]`; gives the loss of each batch. A run that fails leaves the state as it was. */
  async run(batches: Readonly<Record<string, Float32Array>>, signal?: AbortSignal): Promise<readonly number[]> {
    const { steps, accumulate } = this.#step;
    const feeds: Record<string, Tensor> = { taken: { dims: [], data: Float32Array.of(this.#state.taken) } };
    for (const { name, dims } of this.#step.packing.tensors) {
      for (const key of ["w", "m", "v"].map((part) => `${part}.${name}`)) {
        feeds[key] = { dims, data: this.#copies.of(key, this.#state.vectors.get(key)!) };
      }
    }
    for (const { name, dims } of this.#inputs) {
      feeds[name] = { dims: [steps, accumulate, ...dims], data: batches[name]! };
    }
    const out = await this.#session.run(feeds, signal);
    const before = this.#state.vectors;
    const vectors = new Map([...before.keys()].map((name) => [name, floats(out[`next.${name}`])]));
    for (const [name, vector] of before) this.#copies.reuse(name, vector);
    this.#state = { taken: this.#state.taken + steps, vectors };
    return [...floats(out.losses)];
  }

  /** The weights now. */
  get parameters(): Parameter[] {
    const { packing } = this.#step;
    return packing.unpack(packing.tensors.map(({ name }) => this.#state.vectors.get(`w.${name}`)!));
  }

  /** A copy of what it is at now. */
  get state(): TrainingState {
    return { ...this.#state, vectors: copied(this.#state.vectors) };
  }

  /** Goes on from a state of the same network. */
  restore({ taken, vectors }: TrainingState): void {
    this.#state = { taken, vectors: copied(vectors) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#session[Symbol.asyncDispose]());
  }
}

const floats = (tensor: Tensor | undefined): Float32Array => tensor!.data as Float32Array;
