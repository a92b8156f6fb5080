import pino from "pino";
import type { Log } from "../core/log.js";

/** Log lines as JSON on stderr: warnings and worse, everything with `verbose`. */
export function stderrLog({ verbose }: { readonly verbose: boolean }): Log {
  return pino({ level: verbose ? "debug" : "warn", base: null }, pino.destination({ dest: 2, sync: true }));
}
