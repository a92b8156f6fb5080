import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Config, parseConfig } from "../config.js";
import { SenseError } from "../core/errors.js";
import type { NodeFolders } from "../pipeline/node.js";
import { bundleDir } from "./bundles.js";

export interface LoadedConfig {
  readonly config: Config;
  /** Where relative paths in it start. */
  readonly folder: string;
  readonly folders: NodeFolders;
}

/** Reads sensebind.yaml. Throws `FILE_UNREADABLE`, `BAD_CONFIG`, `BAD_BUNDLE`. */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `the configuration ${path} cannot be read`, {
      hint: "Check the path; `sensebind schema config` prints every setting.",
      cause,
    });
  });
  const config = parseConfig(text, path);
  const folder = dirname(resolve(path));
  return { config, folder, folders: { bundle: await bundleDir(config.bundle), state: resolve(folder, config.state) } };
}
