import { join } from "node:path";
import type { UnitVector } from "../../core/embedding.js";
import { normalize } from "../../core/embedding.js";
import { sizeOf, type Tensor } from "../../core/tensor.js";
import { saveModel } from "../../onnx/file.js";
import { type Graph, graph } from "../../onnx/graph.js";
import { type Architecture, type Parameter, trainingOpset } from "../net/net.js";
import type { EngineSession } from "./engine.js";
import { type Packing, packingOf } from "./packing.js";
import type { TrainerParts } from "./trainer.js";

export interface ForwardParts extends TrainerParts {
  /** Rows that go through the network at once; 32 unless given. */
  readonly rows?: number;
}

/** A network whose weights are given anew with each call: what held-out pairs are judged with while it learns. */
export class Forward implements AsyncDisposable {
  readonly #session: EngineSession;
  readonly #packing: Packing;
  readonly #dims: readonly number[];
  readonly #atOnce: number;

  private constructor(
    session: EngineSession,
    packing: Packing,
    { dims, rows }: { dims: readonly number[]; rows: number },
  ) {
    this.#session = session;
    this.#packing = packing;
    this.#dims = dims;
    this.#atOnce = rows;
  }

  /** `dims` is the shape of one input, without the batch. */
  static async open(
    architecture: Architecture,
    parameters: readonly Parameter[],
    dims: readonly number[],
    { engine, folder, rows = 32 }: ForwardParts,
  ): Promise<Forward> {
    const packing = packingOf(parameters);
    const path = join(folder, "forward.onnx");
    await saveModel(forwardGraph(architecture, packing, dims), path, { external: "forward.onnx.data" });
    return new Forward(await engine.load(path, { threads: 1 }), packing, { dims, rows });
  }

  async embed(parameters: readonly Parameter[], inputs: readonly Float32Array[]): Promise<readonly UnitVector[]> {
    const size = sizeOf(this.#dims);
    const found: UnitVector[] = [];
    for (let from = 0; from < inputs.length; from += this.#atOnce) {
      const rows = inputs.slice(from, from + this.#atOnce);
      const x = new Float32Array(rows.length * size);
      for (const [i, row] of rows.entries()) x.set(row, i * size);
      const feeds: Record<string, Tensor> = { x: { dims: [rows.length, ...this.#dims], data: x } };
      for (const [i, data] of this.#packing.pack(parameters).entries()) {
        feeds[`w.${this.#packing.tensors[i]!.name}`] = { dims: [data.length], data };
      }
      const { z } = await this.#session.run(feeds);
      const [all, dim] = [z!.data as Float32Array, z!.dims[1]!];
      for (const i of rows.keys()) found.push(normalize(all.slice(i * dim, (i + 1) * dim)));
    }
    return found;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#session[Symbol.asyncDispose]());
  }
}

/** `x` is `[n, ...dims]`; the weights come as the packing's vectors. */
export function forwardGraph(architecture: Architecture, packing: Packing, dims: readonly number[]): Graph {
  const g = graph({ name: "forward", opset: trainingOpset });
  const x = g.input("x", "float32", ["n", ...dims]);
  const vectors = packing.tensors.map(({ name, size }) => g.input(`w.${name}`, "float32", [size]));
  g.output("z", architecture({ g, take: packing.taker(g, vectors) }, x));
  return g;
}
