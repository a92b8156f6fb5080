import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import * as z from "zod";
import { parseConfig } from "../config.js";
import { SenseError } from "../core/errors.js";
import { worldOf } from "../pipeline/world.js";
import { compile } from "../rules/compile.js";
import { describe, type PlacedProblem } from "../rules/problem.js";
import type { Compiled } from "../rules/program.js";
import { type RulesSource, readSource } from "../rules/source.js";
import type { World } from "../rules/world.js";
import { readConfig } from "./read-config.js";
import { reportError } from "./report.js";

/** Sensors written for rules alone: their concepts. */
const ListedSensors = z.looseObject({ sensors: z.record(z.string(), z.array(z.string())) });

export interface RulesFlags {
  /** Configuration that names sensors and concepts. */
  readonly config?: string;
  readonly json?: boolean;
}

/** Reads and checks a file of rules, against the names of the configuration or of the file itself if it has them. */
export async function readRulesFile(path: string, { config }: RulesFlags = {}): Promise<RulesSource> {
  const text = await readText(path);
  const world = config === undefined ? worldIn(text, path) : worldOf(await readConfig(await readText(config), config));
  return readSource(text, { source: path, ...(world && { world }) });
}

/** The same, compiled. Every problem is reported; undefined if there is one, and then the exit code is set. */
export async function loadRulesFile(
  path: string,
  flags: RulesFlags,
): Promise<(RulesSource & { compiled: Compiled }) | undefined> {
  const read = await readRulesFile(path, flags);
  if (read.problems.length === 0) return { ...read, compiled: compile(read.rules) };
  reportProblems(path, read.problems, flags);
  return undefined;
}

/** Prints each problem as an error of its own and sets the exit code. */
export function reportProblems(path: string, problems: readonly PlacedProblem[], { json = false }: RulesFlags): void {
  for (const problem of problems) {
    const options = problem.hint === undefined ? {} : { hint: problem.hint };
    reportError(new SenseError("RULE_INVALID", describe(problem, path), options), { json });
  }
  process.exitCode = 2;
}

export function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `${path} cannot be read`, { hint: "Check the path.", cause });
  });
}

/** The names that a file of rules brings along: none, a list for each sensor, or a whole configuration. */
function worldIn(text: string, path: string): World | undefined {
  const file: unknown = quietly(text);
  if (typeof file !== "object" || file === null || !("sensors" in file)) return undefined;
  const listed = ListedSensors.safeParse(file);
  return listed.success ? listed.data.sensors : worldOf(parseConfig(text, path));
}

/** Broken YAML has no names; `readSource` says what is wrong with it. */
function quietly(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof Error && error.name === "YAMLParseError") return undefined;
    throw error;
  }
}
