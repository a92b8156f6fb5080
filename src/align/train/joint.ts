import { join } from "node:path";
import { SenseError } from "../../core/errors.js";
import type { Tensor } from "../../core/tensor.js";
import { saveModel } from "../../onnx/file.js";
import type { Parameter } from "../net/net.js";
import { Copies, copied } from "./copies.js";
import type { EngineSession } from "./engine.js";
import { type Laid, laidOut, type Queues, queueFeeds, remembered } from "./joint-batch.js";
import { jointGraph } from "./joint-graph.js";
import { type Part, partsOf, partsUsed, towerPart } from "./joint-part.js";
import { type JointOptions, kindName, type Moment, type PairKind } from "./pair-kind.js";
import type { TrainerParts } from "./trainer.js";

/** Weights, moments, steps and queues: all that a joint training needs to go on. */
export interface JointState {
  /** Steps taken in all: what the learning rate goes by. */
  readonly taken: number;
  /** Steps by tower and scale: those in which it had a pair. */
  readonly steps: ReadonlyMap<string, number>;
  /** By name of the graph's input, `w.*`, `m.*` and `v.*`. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
  readonly queues: Queues;
}

/** The step for one set of kinds. */
interface Form {
  readonly session: EngineSession;
  /** Length of the embeddings in each kind's queue. */
  readonly dims: ReadonlyMap<string, number>;
}

/**
 * Trains towers together on moments of which some have an image and a text, some an image and a video, some all of them: the loss is
 * the sum over the kinds of pair in the batch, an input that is in several pairs is encoded once, and a tower that is in no pair of
 * the batch gets no gradient: its weights, moments, decay and step count stay bit for bit (ImageBind, arXiv 2305.05665, section 3.2).
 * There is one graph for each set of kinds that occurs, made when it first does. Single-use: after `dispose` it is gone.
 */
export class JointTrainer<Name extends string = string> implements AsyncDisposable {
  readonly #options: JointOptions<Name>;
  readonly #outside: TrainerParts;
  readonly #parts: ReadonlyMap<string, Part>;
  readonly #forms = new Map<string, Form>();
  readonly #copies = new Copies();
  #state: JointState;

  /** Throws `BAD_ARGUMENT` for kinds of pair whose towers do not exist. Graphs are written into the folder. */
  constructor(options: JointOptions<Name>, outside: TrainerParts) {
    this.#options = options;
    this.#outside = outside;
    this.#parts = partsOf(options);
    const vectors = new Map<string, Float32Array>();
    for (const { vectors: names, packing, parameters, frozen } of this.#parts.values()) {
      if (frozen) continue;
      for (const [i, data] of packing.pack(parameters).entries()) {
        vectors.set(`w.${names[i]}`, data);
        for (const key of ["m", "v"]) vectors.set(`${key}.${names[i]}`, new Float32Array(data.length));
      }
    }
    const steps = new Map([...this.#parts.values()].filter(({ frozen }) => !frozen).map(({ name }) => [name, 0]));
    this.#state = { taken: 0, steps, vectors, queues: new Map() };
  }

  /** Steps taken so far. */
  get taken(): number {
    return this.#state.taken;
  }

  /** A copy of what it is at now. */
  get state(): JointState {
    return { ...this.#state, vectors: copied(this.#state.vectors) };
  }

  /** Goes on from a state of the same towers and kinds. */
  restore(state: JointState): void {
    this.#state = { ...state, vectors: copied(state.vectors) };
  }

  /** A tower's weights now, under the names that its architecture gave them. */
  weightsOf(tower: Name): readonly Parameter[] {
    const { packing, vectors, parameters, frozen } = this.#parts.get(towerPart(tower))!;
    return frozen ? parameters : packing.unpack(vectors.map((name) => this.#state.vectors.get(`w.${name}`)!));
  }

  /**
   * One step on a batch; gives the loss of each kind that has a pair in it, by its name ("image+text"). A run that fails leaves the
   * state as it was. Throws `BAD_PAIRS` where no moment is a pair or a loss is no number, and `BAD_ARGUMENT` and `MODEL_MISMATCH` for
   * what does not fit.
   */
  async step(moments: readonly Moment<Name>[], signal?: AbortSignal): Promise<Readonly<Record<string, number>>> {
    const laid = laidOut(this.#options, moments);
    const form = await this.#formOf(laid.kinds);
    const moving = [...partsUsed(this.#options, laid.kinds)]
      .map((name) => this.#parts.get(name)!)
      .filter(({ frozen }) => !frozen);
    const moved = moving.flatMap(vectorsOf);
    const { taken, vectors, steps, queues } = this.#state;
    const feeds: Record<string, Tensor> = { ...laid.feeds, ...this.#queueFeeds(laid, form), taken: scalar(taken) };
    for (const { name } of moving) feeds[`taken.${name}`] = scalar(steps.get(name)!);
    for (const { name, dims } of moved) feeds[name] = { dims, data: this.#copies.of(name, vectors.get(name)!) };
    const out = await form.session.run(feeds, signal);
    const given = (name: string): Float32Array => out[name]!.data as Float32Array;
    const losses = Object.fromEntries(
      laid.kinds.map(kindName).map((name): [string, number] => [name, given(`loss.${name}`)[0]!]),
    );
    const spoilt = Object.keys(losses).find((name) => !Number.isFinite(losses[name]));
    if (spoilt !== undefined) throw noNumber(spoilt, taken);
    const held = new Map(queues);
    for (const [i, { kind, name }] of laid.kinds.map((kind) => ({ kind, name: kindName(kind) })).entries()) {
      const dim = form.dims.get(name);
      if (dim === undefined) continue;
      const anchors = given(`anchors.${name}`).subarray(0, laid.pairs[i]! * dim);
      held.set(name, remembered(held.get(name) ?? new Float32Array(0), anchors, kind.queue! * dim));
    }
    this.#state = {
      taken: taken + 1,
      steps: new Map([...steps, ...moving.map(({ name }): [string, number] => [name, steps.get(name)! + 1])]),
      vectors: new Map([...vectors, ...moved.map(({ name }): [string, Float32Array] => [name, given(`next.${name}`)])]),
      queues: held,
    };
    for (const { name } of moved) this.#copies.reuse(name, vectors.get(name)!);
    return losses;
  }

  #queueFeeds({ kinds, pairs }: Laid, { dims }: Form): Record<string, Tensor> {
    const feeds = kinds.map((kind, i) => {
      const held = this.#state.queues.get(kindName(kind));
      return queueFeeds(this.#options, { kind, pairs: pairs[i]!, held, dim: dims.get(kindName(kind)) ?? 0 });
    });
    return Object.assign({}, ...feeds) as Record<string, Tensor>;
  }

  async #formOf(kinds: readonly PairKind[]): Promise<Form> {
    const key = kinds.map((kind) => (this.#options.kinds as readonly PairKind[]).indexOf(kind)).join("-");
    const known = this.#forms.get(key);
    if (known !== undefined) return known;
    const graph = jointGraph(this.#options, kinds, this.#parts);
    const { engine, folder } = this.#outside;
    const path = join(folder, `joint-${key}.onnx`);
    await saveModel(graph, path, { external: `joint-${key}.onnx.data` });
    const queues = graph.inputs.filter(({ name }) => name.startsWith("queue."));
    const form: Form = {
      session: await engine.load(path, { threads: 1 }),
      dims: new Map(queues.map(({ name, shape }) => [name.slice("queue.".length), shape![1] as number])),
    };
    this.#forms.set(key, form);
    return form;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#forms.values()].map(({ session }) => session[Symbol.asyncDispose]()));
  }
}

/** Weights and moments of a part by their names in the graph. */
const vectorsOf = ({ vectors, packing }: Part): { readonly name: string; readonly dims: readonly number[] }[] =>
  vectors.flatMap((vector, i) =>
    ["w", "m", "v"].map((key) => ({ name: `${key}.${vector}`, dims: packing.tensors[i]!.dims })),
  );

const noNumber = (kind: string, step: number): SenseError =>
  new SenseError("BAD_PAIRS", `the loss of ${kind} at step ${step + 1} is no number`, {
    hint: "Look for readings in this batch that are no numbers or far outside the usual range.",
  });

const scalar = (value: number): Tensor => ({ dims: [], data: Float32Array.of(value) });
