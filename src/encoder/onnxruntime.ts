import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { env, InferenceSession, listSupportedBackends, Tensor as OrtTensor } from "onnxruntime-node";
import { SenseError } from "../core/errors.js";
import type { Tensor, TensorData } from "../core/tensor.js";
import { checkFeeds, type GraphInput, isElementType } from "./feeds.js";
import { installedProviders } from "./providers.js";
import type { Feeds, SessionOptions } from "./runtime.js";

// Failures come back as exceptions; the native library would print them, and its warnings, on stderr as well.
env.logLevel = "fatal";

// The native binding cannot read a Float16Array, which its JavaScript half uses where Node has one (24 and newer): 16 bits
// stay a Uint16Array here. This module lives in a worker thread of its own, so nobody else misses the global.
Reflect.deleteProperty(globalThis, "Float16Array");

/** A graph loaded by onnxruntime-node in this thread; `run` blocks the thread, so this lives in a worker. */
export interface Graph {
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly string[];
  /** Throws `MODEL_MISMATCH` for feeds that do not fit the graph, `RUNTIME_FAILED` where it cannot be run. */
  run(feeds: Feeds): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** Execution providers compiled into the binding whose library is really there. */
export function providers(): string[] {
  const folder = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const libraries = join(folder, "bin", "napi-v6", process.platform, process.arch);
  return installedProviders(
    libraries,
    listSupportedBackends().map(({ name }) => name),
  );
}

/** Throws `RUNTIME_FAILED` where the file is not a model that this runtime can load. */
export async function loadGraph(path: string, { providers = ["cpu"], threads = 1 }: SessionOptions): Promise<Graph> {
  const session = await InferenceSession.create(path, {
    executionProviders: [...providers],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  }).catch((cause: unknown) => {
    throw new SenseError("RUNTIME_FAILED", `${path} could not be loaded: ${firstLine(cause)}`, {
      hint: "Check the bundle with `sensebind models verify`.",
      cause,
    });
  });
  const inputs = session.inputMetadata.map((input): GraphInput => {
    if (!input.isTensor || !isElementType(input.type)) {
      throw new SenseError(
        "RUNTIME_FAILED",
        `input "${input.name}" of ${path} has a type that no tensor here can hold`,
        { hint: "Export the graph with float32, float16, integer or boolean tensors." },
      );
    }
    return { name: input.name, type: input.type, dims: input.shape };
  });
  return {
    inputs,
    outputs: session.outputNames,
    async run(feeds) {
      checkFeeds(inputs, feeds, path);
      const given = Object.fromEntries(inputs.map(({ name, type }) => [name, toOrt(type, feeds[name]!)]));
      const results = await session.run(given).catch((cause: unknown) => {
        throw new SenseError("RUNTIME_FAILED", `${path} could not be run: ${firstLine(cause)}`, { cause });
      });
      return Object.fromEntries(session.outputNames.map((name) => [name, fromOrt(name, results[name]!)]));
    },
    release: () => session.release(),
  };
}

/** The graph's own type decides: 16 bits may be a float16 or an integer. */
function toOrt(type: GraphInput["type"], { dims, data }: Tensor): OrtTensor {
  return new OrtTensor(type as "float32", data as Float32Array, dims);
}

/** A Node that has Float16Array gets its bits too. */
function fromOrt(name: string, { type, dims, data }: OrtTensor): Tensor {
  if (!isElementType(type)) {
    throw new SenseError("RUNTIME_FAILED", `output "${name}" is ${type}, which no tensor here can hold`);
  }
  const numbers = data as TensorData;
  if (type !== "float16") return { dims, data: numbers };
  return { dims, data: new Uint16Array(numbers.buffer, numbers.byteOffset, numbers.length) };
}

const firstLine = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]!;
