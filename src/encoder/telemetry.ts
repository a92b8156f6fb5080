import { env } from "node:process";

/**
 * ONNX Runtime 1.30 for Linux keeps a database of its use in ~/.cache/Microsoft, to be uploaded, and in doing so matches
 * the process's command line with a recursive expression: one of 15 kB, a few hundred file names, overflows the stack of
 * a worker and kills the process. It reads this variable when it starts, so it must be set before that, in the main
 * thread (a worker's environment is a copy). A user who wants the telemetry sets the variable to 0.
 */
export function forbidTelemetry(): void {
  env.ORT_DISABLE_TELEMETRY ??= "1";
}
