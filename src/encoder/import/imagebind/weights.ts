import { SenseError } from "../../../core/errors.js";
import { type Tensor, tensor } from "../../../core/tensor.js";
import type { ExternalFile } from "../../../onnx/external.js";
import type { Graph } from "../../../onnx/graph.js";
import { bytesOf } from "../../../onnx/types.js";
import type { Value } from "../../../onnx/value.js";
import type { Checkpoint } from "../checkpoint.js";

type Floats = Tensor<Float32Array>;

export interface WeightsOptions {
  readonly checkpoint: Checkpoint;
  /** Original names to names in the file. */
  readonly names: ReadonlyMap<string, string>;
  readonly graph: Graph;
  readonly external: ExternalFile;
  readonly signal?: AbortSignal | undefined;
  /** Told the bytes of each tensor once it is written. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Moves tensors one by one from a checkpoint to a graph's external data, so that one of them at a time is in memory. */
export class Weights {
  readonly #options: WeightsOptions;

  constructor(options: WeightsOptions) {
    this.#options = options;
  }

  get graph(): Graph {
    return this.#options.graph;
  }

  /** A tensor of the checkpoint in memory. Throws `BAD_CHECKPOINT` with its name if a number in it is not finite. */
  async read(name: string): Promise<Floats> {
    const { checkpoint, names, signal } = this.#options;
    signal?.throwIfAborted();
    const floats = await checkpoint.floats(names.get(name) ?? name);
    const at = firstNonFinite(floats.data);
    if (at >= 0) {
      throw new SenseError("BAD_CHECKPOINT", `${name} holds ${floats.data[at]} at element ${at}`, {
        hint: "Take a checkpoint from before the training diverged, or download it again.",
      });
    }
    return floats;
  }

  /** Whether a tensor is 0 on and below the diagonal and minus infinity above it. */
  async isCausalMask(name: string): Promise<boolean> {
    const { checkpoint, names } = this.#options;
    const { dims, data } = await checkpoint.floats(names.get(name) ?? name);
    const columns = dims[1] ?? 1;
    return data.every((value, i) => value === (i % columns > Math.floor(i / columns) ? Number.NEGATIVE_INFINITY : 0));
  }

  /** Writes a tensor to the external data and gives the weight of the graph. */
  async put(name: string, { dims, data }: Floats): Promise<Value> {
    const { graph, external, onBytes } = this.#options;
    const storage = await external.append(bytesOf(data));
    onBytes?.(data.byteLength);
    return graph.stored(name, { type: "float32", dims, storage });
  }

  /** A tensor as it is, or in another shape of the same size. */
  async take(name: string, dims?: readonly number[]): Promise<Value> {
    const floats = await this.read(name);
    return this.put(name, dims === undefined ? floats : tensor(dims, floats.data));
  }

  /** A linear layer's weight `[out, in]` as the right factor of a product, `[in, out]`. */
  async factor(name: string): Promise<Value> {
    return this.put(name, transposed(await this.read(name)));
  }

  /** Rows `[from, to)` of a linear layer's weight, as the right factor of a product. */
  async factorRows(name: string, from: number, to: number): Promise<Value> {
    return this.put(`${name}.${from}`, transposed(rows(await this.read(name), from, to)));
  }

  /** Elements `[from, to)` of a vector. */
  async slice(name: string, from: number, to: number): Promise<Value> {
    return this.put(`${name}.${from}`, rows(await this.read(name), from, to));
  }
}

/** Index of the first infinity or NaN, or -1. A hot loop over every number of the model. */
function firstNonFinite(data: Float32Array): number {
  for (let i = 0; i < data.length; i++) if (data[i]! - data[i]! !== 0) return i;
  return -1;
}

function rows({ dims, data }: Floats, from: number, to: number): Floats {
  const size = data.length / dims[0]!;
  return tensor([to - from, ...dims.slice(1)], data.slice(from * size, to * size));
}

/** Rows and columns exchanged. A hot loop over every matrix of the model, in tiles that stay in the cache. */
export function transposed({ dims: [m = 1, n = 1], data }: Floats): Floats {
  const out = new Float32Array(m * n);
  const tile = 32;
  for (let i0 = 0; i0 < m; i0 += tile) {
    for (let j0 = 0; j0 < n; j0 += tile) {
      const [i1, j1] = [Math.min(i0 + tile, m), Math.min(j0 + tile, n)];
      for (let i = i0; i < i1; i++) for (let j = j0; j < j1; j++) out[j * m + i] = data[i * n + j]!;
    }
  }
  return tensor([n, m], out);
}
