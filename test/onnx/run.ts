import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Tensor } from "../../src/core/tensor.js";
import { encodeModel } from "../../src/onnx/encode.js";
import type { Model } from "../../src/onnx/value.js";

const typeOf = ({ data }: Tensor) =>
  data instanceof Float32Array
    ? "float32"
    : data instanceof BigInt64Array
      ? "int64"
      : data instanceof Uint16Array
        ? "float16"
        : data instanceof Int32Array
          ? "int32"
          : data instanceof Int8Array
            ? "int8"
            : "uint8";

export type Feeds = Readonly<Record<string, Tensor>>;

const quiet = { intraOpNumThreads: 1, logSeverityLevel: 3 } as const;

/** Runs a graph from memory, or an .onnx file, on the real runtime. */
export async function run(model: Model | string, feeds: Feeds): Promise<Record<string, Tensor<Float32Array>>> {
  const session =
    typeof model === "string"
      ? await InferenceSession.create(model, quiet)
      : await InferenceSession.create(encodeModel(model), quiet);
  try {
    const given = Object.entries(feeds).map(([name, t]) => [name, new OrtTensor(typeOf(t), t.data as never, t.dims)]);
    const results = await session.run(Object.fromEntries(given));
    return Object.fromEntries(
      Object.entries(results).map(([name, t]) => [name, { dims: t.dims, data: t.data as Float32Array }]),
    );
  } finally {
    await session.release();
  }
}
