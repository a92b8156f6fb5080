import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "csv-parse/sync";
import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import { checkLabels } from "./options.js";

export interface Labelled {
  readonly path: string;
  readonly label: string;
}

/** Rows of a CSV with the header `file,label`; paths are relative to the CSV's folder. Throws `BAD_ARGUMENT`. */
export async function readList(path: string): Promise<readonly Labelled[]> {
  const rows = await readRows(path, ["file", "label"]);
  return rows.map(({ file, label }) => ({ path: resolve(dirname(path), file!), label: label! }));
}

/** Rows of a CSV whose header names two modalities: paths relative to its folder, or for `text` the words themselves. */
export async function readPairs(
  path: string,
  [a, b]: readonly [Modality, Modality],
): Promise<readonly (readonly [string, string])[]> {
  const rows = await readRows(path, [a, b]);
  const located = (modality: Modality, value: string) => (modality === "text" ? value : resolve(dirname(path), value));
  return rows.map((row) => [located(a, row[a]!), located(b, row[b]!)]);
}

/** Labels from the command line or from a file with one a line. */
export async function readLabels(list: string | undefined, file: string | undefined): Promise<readonly string[]> {
  if (file === undefined) return checkLabels((list ?? "").split(","));
  return checkLabels((await readText(file)).replace(/^\uFEFF/, "").split(/\r?\n/));
}

async function readRows(path: string, columns: readonly string[]): Promise<readonly Record<string, string>[]> {
  const text = await readText(path);
  let rows: Record<string, string>[];
  try {
    rows = parse(text, { bom: true, columns: true, skip_empty_lines: true, trim: true });
  } catch (cause) {
    throw new SenseError("BAD_ARGUMENT", `${path} is not a CSV: ${(cause as Error).message}`, {
      hint: `The first line names the columns ${columns.join(" and ")}; quote a field that holds a comma.`,
      cause,
    });
  }
  const lacking = columns.find((column) => rows[0]?.[column] === undefined);
  if (lacking === undefined) return rows;
  const found = rows.length === 0 ? "it has no rows" : `its header is ${Object.keys(rows[0]!).join(",")}`;
  throw new SenseError("BAD_ARGUMENT", `${path} has no column "${lacking}": ${found}`, {
    hint: `The first line must name the columns ${columns.join(" and ")}.`,
  });
}

function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new SenseError("FILE_UNREADABLE", `${path} cannot be read (${cause.code ?? cause.message})`, {
      hint: "Check the path and its permissions.",
      cause,
    });
  });
}
