import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import { type Micros, micros } from "../core/time.js";
import type { SearchFilter } from "../space/store/search.js";
import { Store } from "../space/store/store.js";
import { parseModality } from "./options.js";

/** Which of the stored embeddings are meant. */
export interface FilterFlags {
  readonly sensor?: string;
  readonly among?: Modality;
  readonly since?: Micros;
  readonly until?: Micros;
}

export const filterOptions = (command: Command): Command =>
  command
    .option("--sensor <id>", "of this sensor only")
    .option("--among <modality>", "of this modality only", parseModality)
    .option("--since <time>", "what ended after it: 2026-01-31T12:00:00Z, or microseconds since 1970", parseTime)
    .option("--until <time>", "what began before it", parseTime);

/** Undefined where nothing is filtered: only then may a large store be searched by its lists. */
export function filterOf({ sensor, among, since, until }: FilterFlags): SearchFilter | undefined {
  const filter = {
    ...(sensor !== undefined && { sensor }),
    ...(among !== undefined && { modality: among }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
  return Object.keys(filter).length === 0 ? undefined : filter;
}

function parseTime(text: string): Micros {
  const time = /^\d{10,}$/.test(text) ? Number(text) : Date.parse(text) * 1e3;
  if (Number.isFinite(time)) return micros(time);
  throw new InvalidArgumentError("Use a time such as 2026-01-31T12:00:00Z, or microseconds since 1970.");
}

/** Throws `BAD_STORE` for a folder that is none. */
export function checkStore(folder: string): void {
  if (existsSync(join(folder, "store.json"))) return;
  throw new SenseError("BAD_STORE", `${folder} is no store of embeddings`, {
    hint: "A store is written by `sensebind embed --store <folder>`, or by a node with `store` in its configuration.",
  });
}

/** A store of whatever space. */
export function openAnyStore(folder: string): Store {
  checkStore(folder);
  return Store.openAny(folder);
}
