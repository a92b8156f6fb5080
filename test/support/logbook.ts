import type { Log, LogFields } from "../../src/core/log.js";

/** A log that remembers, as one line a message. */
export function logbook(): { readonly log: Log; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const write = (level: string) => (fields: LogFields, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  };
  return { log: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") }, lines };
}
