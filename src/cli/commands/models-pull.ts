import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { readCatalog } from "../../encoder/import/catalog.js";
import { pullModel } from "../../encoder/import/pull-model.js";
import { workerRuntime } from "../../encoder/worker-runtime.js";
import { untilStopped } from "../edge.js";
import { jsonOption } from "../options.js";
import { packageFile } from "../package.js";
import { printJson, printLine } from "../print.js";
import { group } from "../program.js";

interface Flags {
  readonly out?: string;
  readonly acceptLicence?: boolean;
  readonly json?: boolean;
}

export function register(program: Command): void {
  group(program, "models", "bundles of encoders")
    .command("pull")
    .description("get a model of models/catalog.json, or a bundle from its web address; goes on where it broke off")
    .argument("<id or url>", "a model of the catalogue, or the address of a bundle's folder")
    .option("--out <dir>", "folder of the new bundle (default: models/<id> of this installation)")
    .option("--accept-licence", "you have read the licence and keep to it; needed where it forbids commercial use")
    .addOption(jsonOption())
    .action(pull);
}

/** The last part of an address that names something. */
const nameOf = (url: string): string => basename(new URL(url).pathname.replace(/\/(manifest\.json)?$/, "")) || "bundle";

async function pull(name: string, { out, acceptLicence = false, json }: Flags): Promise<void> {
  const id = URL.canParse(name) ? nameOf(name) : name;
  await using runtime = await workerRuntime();
  const dir = out === undefined ? packageFile("models", basename(id)) : resolve(out);
  const { manifest, hashes } = await pullModel(name, {
    out: dir,
    catalog: await readCatalog(packageFile("models", "catalog.json")),
    runtime,
    vocabulary: packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz"),
    acceptLicence,
    signal: untilStopped(),
    onProgress: showProgress,
  });
  const { licence, title } = manifest;
  if (licence.notice !== undefined) process.stderr.write(`${licence.notice}\n`);
  const modalities = Object.keys(manifest.towers);
  if (json) return printJson({ dir, id: manifest.id, title, modalities, licence, sha256: Object.fromEntries(hashes) });
  printLine(`${dir}  ${title}: ${modalities.join(", ")}; ${licence.spdx}`);
  for (const [file, sha256] of hashes) printLine(`  ${sha256}  ${file}`);
}

function showProgress(file: string, done: number, total: number | undefined): void {
  if (!process.stderr.isTTY) return;
  const all = total === undefined ? "" : ` of ${(total / 1e6).toFixed(1)}`;
  process.stderr.write(`\r${file}  ${(done / 1e6).toFixed(1)}${all} MB${done === total ? "\n" : ""}`);
}
