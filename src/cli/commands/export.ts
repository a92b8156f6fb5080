import { type Command, Option } from "commander";
import { SenseError } from "../../core/errors.js";
import { stored } from "../../space/store/stored.js";
import { pgvectorSql } from "../export/pgvector.js";
import { exportToQdrant } from "../export/qdrant.js";
import { jsonOption } from "../options.js";
import { printJson, printLine, progress } from "../print.js";
import { type FilterFlags, filterOf, filterOptions, openAnyStore } from "../store-options.js";

interface Flags extends FilterFlags {
  readonly store: string;
  readonly to: "qdrant" | "pgvector";
  readonly url?: string;
  readonly collection?: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command("export")
    .description("puts stored embeddings into a vector database: Qdrant, or SQL for PostgreSQL with pgvector")
    .requiredOption("--store <folder>", "a store of embeddings")
    .addOption(new Option("--to <database>").choices(["qdrant", "pgvector"]).makeOptionMandatory())
    .option("--url <url>", "of Qdrant, such as http://127.0.0.1:6333; its key is read from QDRANT_API_KEY")
    .option("--collection <name>", "collection or table; named after the space unless given");
  filterOptions(command).addOption(jsonOption()).action(exportStore);
}

async function exportStore(flags: Flags): Promise<void> {
  const store = openAnyStore(flags.store);
  const { space, dim } = store;
  const items = stored(store, filterOf(flags));
  if (flags.to === "pgvector") {
    if (flags.json) {
      throw new SenseError("BAD_ARGUMENT", "--to pgvector prints SQL, which is no JSON", {
        hint: "Leave --json out: pipe the SQL into psql.",
      });
    }
    for (const statement of pgvectorSql(items, { space, dim, table: flags.collection })) printLine(statement);
    return;
  }
  if (flags.url === undefined) {
    throw new SenseError("BAD_ARGUMENT", "--to qdrant needs --url", {
      hint: "For instance --url http://127.0.0.1:6333.",
    });
  }
  const { url, collection } = flags;
  const onProgress = (sent: number): void => progress(sent, store.count);
  const sent = await exportToQdrant(items, {
    url,
    collection,
    space,
    dim,
    apiKey: process.env.QDRANT_API_KEY,
    onProgress,
  });
  if (flags.json) return printJson({ sent, space });
  printLine(`${sent} embeddings of ${space} were sent`);
}
