import { existsSync } from "node:fs";
import { join } from "node:path";
import { SenseError } from "../core/errors.js";

/** Providers that a build of ONNX Runtime names but loads from a library of their own. */
const separate: readonly string[] = ["cuda", "tensorrt", "nv_tensorrt_rtx", "openvino", "migraphx", "rocm", "cann"];

/** Of the providers compiled into a library, those whose own library, where they have one, lies beside it. */
export function installedProviders(folder: string, compiled: readonly string[]): string[] {
  return compiled.filter(
    (name) => !separate.includes(name) || existsSync(join(folder, `libonnxruntime_providers_${name}.so`)),
  );
}

/** Throws `BAD_ARGUMENT` for a provider that this runtime lacks: falling back is the caller's choice, not ours. */
export function checkProviders(wanted: readonly string[], real: readonly string[]): void {
  const lacking = wanted.find((provider) => !real.includes(provider));
  if (lacking === undefined) return;
  throw new SenseError("BAD_ARGUMENT", `this runtime has no execution provider "${lacking}"`, {
    hint: `It has ${real.join(", ")}; for another one give the path of a libonnxruntime.so that has it.`,
  });
}
