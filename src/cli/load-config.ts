import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Config } from "../config.js";
import { SenseError } from "../core/errors.js";
import type { NodeFolders } from "../pipeline/node.js";
import { worldOf } from "../pipeline/world.js";
import { readSource } from "../rules/source.js";
import { bundleDir } from "./bundles.js";
import { bundleInUse } from "./calibrate/installed.js";
import { readConfig } from "./read-config.js";

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
  const config = await readConfig(text, path);
  refuseRules(text, path, config);
  const folder = dirname(resolve(path));
  const state = resolve(folder, config.state);
  const folders = { bundle: await bundleInUse(state, await bundleDir(config.bundle, folder)), state, files: folder };
  return { config, folder, folders };
}

/** Problems of rules at their place in the file; the node itself knows the expressions only. */
function refuseRules(text: string, path: string, config: Config): void {
  if (Object.keys(config.rules).length === 0) return;
  const [problem] = readSource(text, { source: path, world: worldOf(config) }).problems;
  if (!problem) return;
  const { line, column, rule, message, hint = "`sensebind rules check` reports every problem of the file." } = problem;
  throw new SenseError("RULE_INVALID", `${path}:${line}:${column}: rule ${rule}: ${message}`, { hint });
}
