import { type Command, InvalidArgumentError } from "commander";
import type { Modality } from "../../core/modality.js";
import { buildIndex } from "../../space/store/build-index.js";
import { search as nearest } from "../../space/store/search.js";
import { Store } from "../../space/store/store.js";
import { withBundle } from "../bundles.js";
import { bundleOption, collect, jsonOption, parseModality } from "../options.js";
import { printJson, printLine, progress } from "../print.js";
import { queryVector } from "../query.js";
import { checkStore, type FilterFlags, filterOf, filterOptions } from "../store-options.js";

interface Flags extends FilterFlags {
  readonly bundle: string;
  readonly store: string;
  readonly text: readonly string[];
  readonly minusText: readonly string[];
  readonly file: readonly string[];
  readonly minusFile: readonly string[];
  readonly modality?: Modality;
  readonly top: number;
  readonly exact?: boolean;
  readonly index?: boolean;
  readonly json?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command("search")
    .description("the stored embeddings nearest to words or files")
    .requiredOption("--store <folder>", "a store of embeddings")
    .option("--text <words>", "what is looked for; may be given several times", collect, [])
    .option("--minus-text <words>", "what is not meant", collect, [])
    .option("--file <path>", "a file that is like what is looked for", collect, [])
    .option("--minus-file <path>", "a file that is like what is not meant", collect, [])
    .option("--modality <modality>", "of the files; told from their names unless given", parseModality)
    .option("--top <n>", "how many", parseTop, 10)
    .option("--exact", "looks at every row of a large store too")
    .option("--index", "first builds what is missing of a large store's index");
  filterOptions(command).addOption(bundleOption()).addOption(jsonOption()).action(search);
}

async function search(flags: Flags): Promise<void> {
  checkStore(flags.store);
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

function parseTop(text: string): number {
  const top = Number(text);
  if (Number.isInteger(top) && top > 0) return top;
  throw new InvalidArgumentError("Use a whole number of at least 1.");
}
