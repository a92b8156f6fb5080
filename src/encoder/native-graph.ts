import { SenseError } from "../core/errors.js";
import { sizeOf, type Tensor, type TensorData } from "../core/tensor.js";
import { arrays, checkFeeds, type ElementType, type GraphInput } from "./feeds.js";
import type { OrtLibrary, Pointer } from "./libonnxruntime.js";
import type { Outputs, Place, Signature } from "./queued-session.js";
import type { Dimension, Feeds } from "./runtime.js";

/** Element types by their number in ONNXTensorElementDataType. */
const elementTypes: Readonly<Record<number, ElementType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
};

const numberOf = Object.fromEntries(Object.entries(elementTypes).map(([number, type]) => [type, Number(number)]));

export interface NativeGraphOptions {
  readonly path: string;
  /** Runs that may go side by side. */
  readonly places: number;
  readonly onRoom: () => void;
}

/** One native session, which runs in threads that are not Node's; `places` of them at a time. */
export class NativeGraph implements Place {
  readonly signature: Signature;
  readonly #ort: OrtLibrary;
  readonly #session: Pointer;
  readonly #path: string;
  readonly #places: number;
  readonly #memory: Pointer;
  readonly #inputs: readonly GraphInput[];
  readonly #outputs: readonly string[];
  readonly #onRoom: () => void;
  readonly #running = new Set<Promise<Outputs>>();

  constructor(ort: OrtLibrary, session: Pointer, { path, places, onRoom }: NativeGraphOptions) {
    this.#ort = ort;
    this.#session = session;
    this.#path = path;
    this.#places = places;
    this.#onRoom = onRoom;
    // An arena allocator (1) of the default kind (0): where the feeds' memory is said to be.
    this.#memory = ort.make("CreateCpuMemoryInfo", 1, 0);
    this.#inputs = readInputs(ort, session, path);
    this.#outputs = readNames(ort, session, "Output");
    this.signature = {
      inputs: this.#inputs.map(({ name }) => name),
      outputs: this.#outputs,
      shapes: Object.fromEntries(this.#inputs.map(({ name, dims }) => [name, dims])),
    };
  }

  get hasRoom(): boolean {
    return this.#running.size < this.#places;
  }

  get busy(): number {
    return this.#running.size;
  }

  async run(feeds: Feeds, signal?: AbortSignal): Promise<Outputs> {
    const run = this.#run(feeds, signal);
    this.#running.add(run);
    try {
      return await run;
    } finally {
      this.#running.delete(run);
      this.#onRoom();
    }
  }

  /** Native threads may still be at work: the session is released after them. */
  async release(): Promise<void> {
    await Promise.allSettled(this.#running);
    this.#ort.call("ReleaseSession", this.#session);
    this.#ort.call("ReleaseMemoryInfo", this.#memory);
  }

  async #run(feeds: Feeds, signal?: AbortSignal): Promise<Outputs> {
    checkFeeds(this.#inputs, feeds, this.#path);
    const ort = this.#ort;
    const options = ort.make("CreateRunOptions");
    const stop = () => ort.call("RunOptionsSetTerminate", options);
    signal?.addEventListener("abort", stop, { once: true });
    const inputs = BigUint64Array.from(this.#inputs, ({ name, type }) => this.#wrap(type, feeds[name]!));
    const outputs = new BigUint64Array(this.#outputs.length);
    const [from, to] = [ort.cStrings(this.signature.inputs), ort.cStrings(this.#outputs)];
    const counted = [from.pointers, inputs, inputs.length, to.pointers, outputs.length, outputs] as const;
    try {
      await ort.callAsync("Run", [this.#session, options, ...counted], [feeds, from, to, inputs, outputs]);
      return Object.fromEntries(this.#outputs.map((name, i) => [name, this.#read(name, outputs[i]!)]));
    } finally {
      signal?.removeEventListener("abort", stop);
      for (const value of [...inputs, ...outputs]) if (value !== 0n) ort.call("ReleaseValue", value);
      ort.call("ReleaseRunOptions", options);
    }
  }

  /** A native tensor over the feed's own memory. */
  #wrap(type: ElementType, { dims, data }: Tensor): Pointer {
    const shape = BigInt64Array.from(dims, BigInt);
    const what = [data, data.byteLength, shape, dims.length, numberOf[type]!] as const;
    return this.#ort.make("CreateTensorWithDataAsOrtValue", this.#memory, ...what);
  }

  /** A copy of a native tensor. */
  #read(name: string, value: Pointer): Tensor {
    const info = this.#ort.make("GetTensorTypeAndShape", value);
    try {
      const { type, dims } = readShape(this.#ort, info);
      if (type === undefined) {
        throw new SenseError(
          "RUNTIME_FAILED",
          `output "${name}" of ${this.#path} has a type that no tensor here can hold`,
          { hint: "Export the graph with float32, float16, integer or boolean tensors." },
        );
      }
      const shape = dims.map(Number);
      const size = sizeOf(shape) * bytesOf(type);
      return { dims: shape, data: arrayOf(type, this.#ort.copy(this.#ort.make("GetTensorMutableData", value), size)) };
    } finally {
      this.#ort.call("ReleaseTensorTypeAndShapeInfo", info);
    }
  }
}

function readNames(ort: OrtLibrary, session: Pointer, side: "Input" | "Output"): readonly string[] {
  const allocator = ort.make("GetAllocatorWithDefaultOptions");
  const count = Number(ort.make(`SessionGet${side}Count`, session));
  return Array.from({ length: count }, (_, i) => {
    const pointer = ort.make(`SessionGet${side}Name`, session, i, allocator);
    const name = ort.text(pointer);
    ort.call("AllocatorFree", allocator, pointer);
    return name;
  });
}

function readInputs(ort: OrtLibrary, session: Pointer, path: string): readonly GraphInput[] {
  return readNames(ort, session, "Input").map((name, i) => {
    const info = ort.make("SessionGetInputTypeInfo", session, i);
    try {
      const tensorInfo = ort.make("CastTypeInfoToTensorInfo", info);
      const { type, dims } = tensorInfo === 0n ? { type: undefined, dims: [] } : readShape(ort, tensorInfo);
      if (type === undefined) {
        throw new SenseError("RUNTIME_FAILED", `input "${name}" of ${path} has a type that no tensor here can hold`, {
          hint: "Export the graph with float32, float16, integer or boolean tensors.",
        });
      }
      return { name, type, dims };
    } finally {
      ort.call("ReleaseTypeInfo", info);
    }
  });
}

/** A free dimension is -1 in the shape and has a name, which may be empty. */
function readShape(ort: OrtLibrary, info: Pointer): { type: ElementType | undefined; dims: readonly Dimension[] } {
  const type = new Int32Array(1);
  ort.call("GetTensorElementType", info, type);
  const count = Number(ort.make("GetDimensionsCount", info));
  const sizes = new BigInt64Array(count);
  ort.call("GetDimensions", info, sizes, count);
  const names = new BigUint64Array(count);
  ort.call("GetSymbolicDimensions", info, names, count);
  const dims = Array.from(sizes, (size, i) => (size < 0n ? ort.text(names[i]!) || "?" : Number(size)));
  return { type: elementTypes[type[0]!], dims };
}

function bytesOf(type: ElementType): number {
  return arrayOf(type, new ArrayBuffer(0)).BYTES_PER_ELEMENT;
}

function arrayOf(type: ElementType, bytes: ArrayBuffer): TensorData {
  return new arrays[type](bytes);
}
