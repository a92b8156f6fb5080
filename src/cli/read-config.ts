import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Config, parseConfig } from "../config.js";
import { SenseError } from "../core/errors.js";
import { readConcepts } from "../pipeline/concept-file.js";
import { taughtFile } from "../pipeline/taught-file.js";

/**
 * The configuration in a text, with the concepts of the files that it includes and those that the node was taught while it
 * ran. Throws `BAD_CONFIG`, also for a concept that two of them have; `FILE_UNREADABLE`.
 */
export async function readConfig(text: string, path: string): Promise<Config> {
  const config = parseConfig(text, path);
  const folder = dirname(resolve(path));
  let { concepts } = config;
  for (const file of config.include) {
    const more = await readConcepts(resolve(folder, file));
    const twice = Object.keys(more).find((id) => Object.hasOwn(concepts, id));
    if (twice !== undefined) {
      throw new SenseError("BAD_CONFIG", `${path}: include: the concept ${twice} of ${file} is there already`, {
        hint: "Rename one of the two, or remove it.",
      });
    }
    concepts = { ...concepts, ...more };
  }
  const taught = taughtFile(resolve(folder, config.state));
  // What a node was taught on command is newer than what its file says.
  if (existsSync(taught)) concepts = { ...concepts, ...(await readConcepts(taught)) };
  return { ...config, concepts };
}
