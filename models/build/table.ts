import { readFile } from "node:fs/promises";

/** Rows of a CSV file by column name; fields may be quoted. */
export async function readTable(path: string): Promise<Record<string, string>[]> {
  const [header, ...rows] = (await readFile(path, "utf8"))
    .split(/\r?\n/)
    .filter((line) => line !== "")
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((field) =>
        (field[1] ?? field[2]!).replaceAll('""', '"'),
      ),
    );
  return rows.map((row) => Object.fromEntries(header!.map((name, i) => [name, row[i]!])));
}
