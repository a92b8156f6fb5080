import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, extname, join, resolve, sep } from "node:path";
import { SenseError } from "../core/errors.js";
import { unreadable } from "./decode/bytes.js";

/** A file of a sequence, and when in it, in seconds, if its list says so. */
export interface ListedFile {
  readonly path: string;
  readonly time: number | undefined;
}

export interface ListOptions {
  /** Relative paths start here. */
  readonly folder: string;
  /** Extensions that count, with their dot, in lower case. */
  readonly extensions: readonly string[];
  /** Column of a list.csv that holds the paths. */
  readonly column?: string;
  /** Also folders in folders. */
  readonly recursive?: boolean;
}

/** `img2` before `img10`, in every locale. */
const natural = new Intl.Collator("en", { numeric: true });

/**
 * The files that a path, glob (`*`, `?`, `**`), folder or list.csv (column `file`, perhaps `time`; paths relative to it) stands
 * for, folders and globs in natural order. Throws `FILE_UNREADABLE` if there is none.
 */
export async function listFiles(path: string | readonly string[], options: ListOptions): Promise<ListedFile[]> {
  const paths = typeof path === "string" ? [path] : path;
  const found = (await Promise.all(paths.map((one) => expand(one, options)))).flat();
  if (found.length === 0) {
    throw new SenseError("FILE_UNREADABLE", `${paths.join(", ")} has no file of ${options.extensions.join(" ")}`, {
      hint: "Check the path; folders in folders need `recursive: true`.",
    });
  }
  return found;
}

async function expand(path: string, options: ListOptions): Promise<ListedFile[]> {
  const full = resolve(options.folder, path);
  if (/[*?]/.test(path)) return (await glob(full)).map(untimed);
  const info = await stat(full).catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(full, cause);
  });
  if (info.isDirectory()) {
    const files = await readdir(full, { recursive: options.recursive ?? false });
    const wanted = files.filter((file) => options.extensions.includes(extensionOf(file)));
    return wanted.sort(natural.compare).map((file) => untimed(join(full, file)));
  }
  return (await readList(full, options.column ?? "file")) ?? [untimed(full)];
}

/** `.npy.gz` counts as one extension. */
export function extensionOf(path: string): string {
  const extension = extname(path).toLowerCase();
  return extension === ".gz" ? extname(path.slice(0, -3)).toLowerCase() + extension : extension;
}

const untimed = (path: string): ListedFile => ({ path, time: undefined });

/** Files under the part of the pattern that has no wildcard, filtered by the whole of it. */
async function glob(pattern: string): Promise<string[]> {
  const parts = pattern.split(sep);
  const base =
    parts
      .slice(
        0,
        parts.findIndex((part) => /[*?]/.test(part)),
      )
      .join(sep) || sep;
  const files = await readdir(base, { recursive: true, withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(base, cause);
  });
  const matcher = new RegExp(`^${parts.map(toRegExp).join(`\\${sep}`).replaceAll(`(?:.*)\\${sep}`, "(?:.*/)?")}$`);
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  return paths.filter((path) => matcher.test(path)).sort(natural.compare);
}

function toRegExp(part: string): string {
  if (part === "**") return "(?:.*)";
  return part
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
}

/** The rows of a CSV that has the column; undefined where the file is none, but a series. */
async function readList(path: string, column: string): Promise<ListedFile[] | undefined> {
  if (extensionOf(path) !== ".csv") return undefined;
  const rows = (await readFile(path, "utf8")).replace(/^\uFEFF/, "").split(/\r?\n/);
  const head = cellsOf(rows[0] ?? "");
  const [file, time] = [head.indexOf(column), head.indexOf("time")];
  if (file === -1) return undefined;
  return rows
    .slice(1)
    .map(cellsOf)
    .filter((cells) => cells[file])
    .map((cells) => ({
      path: resolve(dirname(path), cells[file]!),
      time: time >= 0 && cells[time] ? Number(cells[time]) : undefined,
    }));
}

/** The cells of a line of CSV; quoted cells may hold commas and doubled quotes (RFC 4180). */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    (quoted?.replaceAll('""', '"') ?? plain ?? "").trim(),
  );
}
