import type koffi from "koffi";
import { SenseError } from "../core/errors.js";
import { forbidTelemetry } from "./telemetry.js";

type Koffi = typeof koffi;

/** An address in native memory; 0n is none. */
export type Pointer = bigint;

type Argument = Pointer | number | string | ArrayBufferView | null;

const P = "void *";

/**
 * Functions of the C API that are used here: place in `OrtApi`, result, arguments (onnxruntime_c_api.h; places never
 * change between versions). A `status` is none or an error. Out-parameters are arrays of one element, given as `void *`.
 */
const functions = {
  GetErrorMessage: [2, "str", [P]],
  CreateEnv: [3, "status", ["int", "str", P]],
  CreateSession: [7, "status", [P, "str", P, P]],
  Run: [9, "status", [P, P, P, P, "size_t", P, "size_t", P]],
  CreateSessionOptions: [10, "status", [P]],
  SetSessionLogSeverityLevel: [22, "status", [P, "int"]],
  SetIntraOpNumThreads: [24, "status", [P, "int"]],
  SetInterOpNumThreads: [25, "status", [P, "int"]],
  SessionGetInputCount: [30, "status", [P, P]],
  SessionGetOutputCount: [31, "status", [P, P]],
  SessionGetInputTypeInfo: [33, "status", [P, "size_t", P]],
  SessionGetInputName: [36, "status", [P, "size_t", P, P]],
  SessionGetOutputName: [37, "status", [P, "size_t", P, P]],
  CreateRunOptions: [39, "status", [P]],
  RunOptionsSetTerminate: [46, "status", [P]],
  CreateTensorWithDataAsOrtValue: [49, "status", [P, P, "size_t", P, "size_t", "int", P]],
  GetTensorMutableData: [51, "status", [P, P]],
  CastTypeInfoToTensorInfo: [55, "status", [P, P]],
  GetTensorElementType: [60, "status", [P, P]],
  GetDimensionsCount: [61, "status", [P, P]],
  GetDimensions: [62, "status", [P, P, "size_t"]],
  GetSymbolicDimensions: [63, "status", [P, P, "size_t"]],
  GetTensorTypeAndShape: [65, "status", [P, P]],
  CreateCpuMemoryInfo: [69, "status", ["int", "int", P]],
  AllocatorFree: [76, "status", [P, P]],
  GetAllocatorWithDefaultOptions: [78, "status", [P]],
  ReleaseEnv: [92, "void", [P]],
  ReleaseStatus: [93, "void", [P]],
  ReleaseMemoryInfo: [94, "void", [P]],
  ReleaseSession: [95, "void", [P]],
  ReleaseValue: [96, "void", [P]],
  ReleaseRunOptions: [97, "void", [P]],
  ReleaseTypeInfo: [98, "void", [P]],
  ReleaseTensorTypeAndShapeInfo: [99, "void", [P]],
  ReleaseSessionOptions: [100, "void", [P]],
  GetAvailableProviders: [125, "status", [P, P]],
  ReleaseAvailableProviders: [126, "status", [P, "int"]],
  SessionOptionsAppendExecutionProvider_TensorRT_V2: [170, "status", [P, P]],
  CreateTensorRTProviderOptions: [171, "status", [P]],
  ReleaseTensorRTProviderOptions: [174, "void", [P]],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, "status", [P, P]],
  CreateCUDAProviderOptions: [205, "status", [P]],
  ReleaseCUDAProviderOptions: [208, "void", [P]],
  SessionOptionsAppendExecutionProvider: [216, "status", [P, "str", P, P, "size_t"]],
} as const satisfies Readonly<Record<string, readonly [number, "status" | "str" | "void", readonly string[]]>>;

export type OrtFunction = keyof typeof functions;

/** The newest C API that is asked for; ONNX Runtime 1.12 (July 2022) and later have it. */
const apiVersion = 12;

/** A run works on a stack that koffi gives it, 128 KiB unless told: the kernels were written for a thread's 8 MiB. */
const stackBytes = 8 * 1024 * 1024;

/** Libraries stay loaded: their threads may outlive every object here, and an unloaded one crashes the process. */
const loaded = new Map<string, OrtLibrary>();

type Native = ((...args: readonly Argument[]) => Pointer | string | null) & {
  async(...args: readonly (Argument | ((error: unknown, result: Pointer | null) => void))[]): void;
};

/** A libonnxruntime.so, through its C API. */
export class OrtLibrary {
  readonly version: string;
  readonly #koffi: Koffi;
  readonly #library: ReturnType<Koffi["load"]>;
  readonly #natives: Readonly<Record<OrtFunction, Native>>;
  /** Keeps memory from being collected while native threads use it. */
  readonly #inUse = new Set<unknown>();

  constructor(koffi: Koffi, path: string) {
    this.#koffi = koffi;
    this.#library = koffi.load(path);
    const base = this.#library.func("OrtGetApiBase", P, [])() as Pointer;
    const native = (address: unknown, result: string, args: readonly string[]): Native =>
      koffi.decode(address, koffi.proto(result, [...args])) as Native;
    this.version = native(koffi.decode(base, 8, P), "str", [])() as string;
    const api = native(koffi.decode(base, P), P, ["uint32_t"])(apiVersion) as Pointer | null;
    if (api === null) {
      throw new SenseError("RUNTIME_FAILED", `${path} is ONNX Runtime ${this.version}, which is too old`, {
        hint: "Use version 1.12 or later.",
      });
    }
    this.#natives = Object.fromEntries(
      Object.entries(functions).map(([name, [place, result, args]]) => [
        name,
        native(koffi.decode(api, place * 8, P), result === "status" ? P : result, args),
      ]),
    ) as Record<OrtFunction, Native>;
  }

  /** Calls a function; an error status becomes `RUNTIME_FAILED`. */
  call(name: OrtFunction, ...args: readonly Argument[]): void {
    const result = this.#natives[name](...args);
    if (functions[name][1] === "status") this.#check(name, result as Pointer | null);
  }

  /** The same in a thread of its own; `memory` is what the native side reads and writes meanwhile. */
  callAsync(name: OrtFunction, args: readonly Argument[], memory: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#inUse.add(memory);
      this.#natives[name].async(...args, (error, result) => {
        this.#inUse.delete(memory);
        if (error) return reject(error);
        try {
          resolve(this.#check(name, result));
        } catch (failure) {
          reject(failure);
        }
      });
    });
  }

  /** The pointer that a function wrote to its out-parameter, its last argument. */
  make(name: OrtFunction, ...args: readonly Argument[]): Pointer {
    const out = new BigUint64Array(1);
    this.call(name, ...args, out);
    return out[0]!;
  }

  /** A NUL-terminated text. */
  text(pointer: Pointer): string {
    return this.#koffi.decode(pointer, "char", -1) as string;
  }

  /** A copy of native memory. */
  copy(pointer: Pointer, bytes: number): ArrayBuffer {
    return bytes === 0 ? new ArrayBuffer(0) : this.#koffi.view(pointer, bytes).slice(0);
  }

  /** NUL-terminated texts that pointers, one after the other, point to. */
  texts(pointer: Pointer, count: number): readonly string[] {
    return Array.from(new BigUint64Array(this.copy(pointer, count * 8)), (text) => this.text(text));
  }

  /** Texts as a `const char **`, good as long as the result is referenced. */
  cStrings(texts: readonly string[]): { readonly pointers: BigUint64Array; readonly bytes: readonly Uint8Array[] } {
    const bytes = texts.map((text) => new TextEncoder().encode(`${text}\0`));
    return { bytes, pointers: BigUint64Array.from(bytes, (text) => this.#koffi.address(text)) };
  }

  #check(name: OrtFunction, status: Pointer | null): void {
    if (status === null || status === 0n) return;
    const message = this.#natives.GetErrorMessage(status) as string;
    this.#natives.ReleaseStatus(status);
    throw new SenseError("RUNTIME_FAILED", `ONNX Runtime ${this.version}, ${name}: ${message.split("\n")[0]}`);
  }
}

/** Opens a libonnxruntime.so of the user's choice. Throws `TOOL_MISSING` without koffi, `RUNTIME_FAILED` for another file. */
export async function openLibrary(path: string): Promise<OrtLibrary> {
  const known = loaded.get(path);
  if (known !== undefined) return known;
  forbidTelemetry();
  koffiOnce ??= loadKoffi();
  const koffi = await koffiOnce;
  try {
    const library = new OrtLibrary(koffi, path);
    loaded.set(path, library);
    return library;
  } catch (cause) {
    if (cause instanceof SenseError) throw cause;
    throw new SenseError("RUNTIME_FAILED", `${path} is no ONNX Runtime library: ${(cause as Error).message}`, {
      hint: "Give the path of libonnxruntime.so of version 1.12 or later, for this processor.",
      cause,
    });
  }
}

/** koffi's settings can be changed once, before the first library is loaded. */
let koffiOnce: Promise<Koffi> | undefined;

async function loadKoffi(): Promise<Koffi> {
  const { default: koffi } = await import("koffi").catch((cause: unknown) => {
    throw new SenseError("TOOL_MISSING", "koffi, which calls native libraries, is not installed", {
      hint: "npm install koffi",
      cause,
    });
  });
  koffi.config({ async_stack_size: stackBytes });
  return koffi;
}
