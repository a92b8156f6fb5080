import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import { type Micros, micros } from "../../core/time.js";
import { buildIndex } from "../../space/store/build-index.js";
import { search as nearest, type SearchFilter } from "../../space/store/search.js";
import { Store } from "../../space/store/store.js";
import { withBundle } from "../bundles.js";
import { bundleOption, collect, jsonOption, parseModality } from "../options.js";
import { printJson, printLine, progress } from "../print.js";
import { queryVector } from "../query.js";

interface Flags {
  readonly bundle: string;
  readonly store: string;
  readonly text: readonly string[];
  readonly minusText: readonly string[];
  readonly file: readonly string[];
  readonly minusFile: readonly string[];
  readonly modality?: Modality;
  readonly top: number;
  readonly sensor?: string;
  readonly among?: Modality;
  readonly since?: Micros;
  readonly until?: Micros;
  readonly exact?: boolean;
  readonly index?: boolean;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command("search")
    .description("the stored embeddings nearest to words or files")
    .requiredOption("--store <folder>", "a store of embeddings")
    .option("--text <words>", "what is looked for; may be given several times", collect, [])
    .option("--minus-text <words>", "what is not meant", collect, [])
    .option("--file <path>", "a file that is like what is looked for", collect, [])
    .option("--minus-file <path>", "a file that is like what is not meant", collect, [])
    .option("--modality <modality>", "of the files; told from their names unless given", parseModality)
    .option("--top <n>", "how many", parseTop, 10)
    .option("--sensor <id>", "of this sensor only")
    .option("--among <modality>", "of this modality only", parseModality)
    .option("--since <time>", "what ended after it: 2026-01-31T12:00:00Z, or microseconds since 1970", parseTime)
    .option("--until <time>", "what began before it", parseTime)
    .option("--exact", "looks at every row of a large store too")
    .option("--index", "first builds what is missing of a large store's index")
    .addOption(bundleOption())
    .addOption(jsonOption())
    .action(search);
}

async function search(flags: Flags): Promise<void> {
  if (!existsSync(join(flags.store, "store.json"))) {
    throw new SenseError("BAD_STORE", `${flags.store} is no store of embeddings`, {
      hint: "A store is written by `sensebind embed --store <folder>`.",
    });
  }
  await withBundle({ bundle: flags.bundle }, async (bundle) => {
    const store = Store.open(flags.store, { id: bundle.space, dim: bundle.manifest.dim });
    const query = await queryVector(bundle, {
      texts: flags.text,
      minusTexts: flags.minusText,
      files: flags.file,
      minusFiles: flags.minusFile,
      modality: flags.modality,
    });
    if (flags.index) buildIndex(flags.store, { dim: store.dim, onProgress: progress });
    const hits = await nearest(store, query, { top: flags.top, filter: filterOf(flags), exact: flags.exact ?? false });
    if (flags.json) return printJson(hits);
    for (const { score, sensor, modality, from } of hits) {
      printLine(`${score.toFixed(4)}  ${sensor}  ${modality}  ${new Date(from / 1e3).toISOString()}`);
    }
  });
}

/** Undefined where nothing is filtered: only then may a large store be searched by its lists. */
function filterOf({ sensor, among, since, until }: Flags): SearchFilter | undefined {
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

function parseTop(text: string): number {
  const top = Number(text);
  if (Number.isInteger(top) && top > 0) return top;
  throw new InvalidArgumentError("Use a whole number of at least 1.");
}
