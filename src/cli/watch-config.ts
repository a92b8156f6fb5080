import { readFile, watch } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { Config } from "../config.js";
import { isSenseError } from "../core/errors.js";
import type { Log } from "../core/log.js";
import { readConfig } from "./read-config.js";

export interface WatchOptions {
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * The configuration in a file, each time its text has changed to one that can be read. The folder is watched, since many
 * editors write a new file and rename it. Ends with the signal.
 */
export async function* configChanges(path: string, { signal, log }: WatchOptions): AsyncGenerator<Config> {
  let text = await readFile(path, "utf8");
  try {
    for await (const { filename } of watch(dirname(resolve(path)), { signal })) {
      if (filename !== null && filename !== basename(path)) continue;
      const now = await readFile(path, "utf8").catch(() => text);
      // A file that is being written is empty for a moment.
      if (now === text || now.trim() === "") continue;
      if (signal.aborted) return;
      text = now;
      const config = await readable(text, path, log);
      if (config) yield config;
    }
  } catch (error) {
    if (!(error instanceof Error && error.name === "AbortError")) throw error;
  }
}

async function readable(text: string, path: string, log: Log): Promise<Config | undefined> {
  try {
    return await readConfig(text, path);
  } catch (error) {
    if (!isSenseError(error)) throw error;
    log.warn({ code: error.code, why: error.message, hint: error.hint }, "the changed configuration is not used");
    return undefined;
  }
}
