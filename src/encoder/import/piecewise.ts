import { rm, writeFile } from "node:fs/promises";
import type { Tensor } from "../../core/tensor.js";
import { encodeModel } from "../../onnx/encode.js";
import { loadModel } from "../../onnx/file.js";
import { split } from "../../onnx/split.js";
import type { Model } from "../../onnx/value.js";
import type { Feeds, Runtime, Session, SessionOptions } from "../runtime.js";

/** Weights that are in memory at once, in bytes: ONNX Runtime holds them and a second, rearranged copy. */
const defaultBudget = 300 * 2 ** 20;

/**
 * A runtime that loads graphs in pieces, one after the other at every run: slow, but a tower of 2.5 GB runs in a fraction of
 * that. An import makes its golden vectors this way. The pieces' small .onnx files are beside the model while it is open.
 */
export function piecewise(runtime: Runtime, budget = defaultBudget): Runtime {
  return {
    name: runtime.name,
    providers: runtime.providers,
    load: async (path, options = {}) => {
      const model = await loadModel(path);
      const pieces = split(model, budget);
      if (pieces.length === 1) return runtime.load(path, options);
      const paths = pieces.map((_, i) => `${path}.piece${i}`);
      await Promise.all(pieces.map((piece, i) => writeFile(paths[i]!, encodeModel(piece))));
      return new PiecewiseSession({ runtime, model, pieces, paths, options });
    },
    async [Symbol.asyncDispose]() {},
  };
}

interface Parts {
  readonly runtime: Runtime;
  readonly model: Model;
  readonly pieces: readonly Model[];
  readonly paths: readonly string[];
  readonly options: SessionOptions;
}

class PiecewiseSession implements Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly shapes: Session["shapes"];
  readonly #parts: Parts;

  constructor(parts: Parts) {
    const { inputs, outputs } = parts.model;
    this.inputs = inputs.map(({ name }) => name);
    this.outputs = outputs.map(({ name }) => name);
    this.shapes = Object.fromEntries(inputs.map(({ name, shape }) => [name, shape ?? []]));
    this.#parts = parts;
  }

  async run(feeds: Feeds, signal?: AbortSignal): Promise<Readonly<Record<string, Tensor>>> {
    const { runtime, pieces, paths, options } = this.#parts;
    const known = new Map(Object.entries(feeds));
    for (const [i, piece] of pieces.entries()) {
      await using session = await runtime.load(paths[i]!, options);
      const outputs = await session.run(this.#feeds(piece, known), signal);
      for (const [name, tensor] of Object.entries(outputs)) known.set(name, tensor);
    }
    return Object.fromEntries(this.outputs.map((name) => [name, known.get(name)!]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#parts.paths.map((path) => rm(path, { force: true })));
  }

  /** Copies, because a run takes its feeds over and a later piece may need them again. */
  #feeds({ inputs }: Model, known: ReadonlyMap<string, Tensor>): Feeds {
    return Object.fromEntries(
      inputs.map(({ name }) => {
        const { dims, data } = known.get(name)!;
        return [name, { dims, data: data.slice() }];
      }),
    );
  }
}
