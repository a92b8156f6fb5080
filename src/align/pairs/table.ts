import { CsvError, parse } from "csv-parse/sync";
import { SenseError } from "../../core/errors.js";
import { type Micros, micros, minutes, s } from "../../core/time.js";

/** A row of a table of pairs: two files, or a file and the words for it, that belong together. */
export interface PairRow {
  /** Line of the file on which the row ends, from 1. */
  readonly line: number;
  /** The sensor's file, as written in the table. */
  readonly sensor: string;
  /** The camera's file, as written in the table, or the words. */
  readonly anchor: string;
  /** Event time of both, where the table has a column `time` (seconds). */
  readonly time: Micros | undefined;
  /** Rows of one block belong together in time, where the table has a column `block`. */
  readonly block: string | undefined;
}

export interface PairTable {
  readonly rows: readonly PairRow[];
  /** Whether the anchors are words or files of a camera. */
  readonly anchors: "text" | "vision";
}

export interface PairTableOptions {
  /** The column of the sensor, which is its modality; a column `sensor` will do too. */
  readonly sensor: string;
  /** The column of what it is bound to; unless given the first of `vision`, `camera`, `text` that the table has. */
  readonly anchor?: string;
  /** The file's name, for messages. */
  readonly path?: string;
}

/**
 * Reads pairs.csv: a header, then a row for each pair, such as `thermal,vision` or `imu,text`, with an optional `time` in seconds and
 * an optional `block`. Throws `BAD_ARGUMENT` with the line that is wrong.
 */
export function parsePairTable(text: string, options: PairTableOptions): PairTable {
  const { path = "pairs.csv" } = options;
  const records = readRecords(text, path);
  const header = Object.keys(records[0]?.record ?? {});
  if (header.length === 0)
    throw bad(`${path} has no pairs`, "Its first line names the columns, such as thermal,vision.");
  const column = (names: readonly string[]): string => {
    const found = names.find((name) => header.includes(name));
    if (found !== undefined) return found;
    throw bad(
      `${path} has no column ${names.join(" or ")}: its header is ${header.join(",")}`,
      `The first line must name the sensor's column and the camera's, such as ${options.sensor},vision.`,
    );
  };
  const sensor = column([options.sensor, "sensor"]);
  const anchor = column(options.anchor === undefined ? ["vision", "camera", "text"] : anchorColumns(options.anchor));
  if (sensor === anchor) throw bad(`${path}: ${sensor} cannot be bound to itself`, "Name two different columns.");
  const rows = records.map(({ record, line }): PairRow => {
    const cell = (name: string): string => {
      const value = record[name]!;
      if (value !== "") return value;
      throw bad(`${path}, line ${line}: ${name} is empty`, "Every pair needs both of its sides; leave the line out.");
    };
    const time = "time" in record ? secondsOf(cell("time"), `${path}, line ${line}`) : undefined;
    return {
      line,
      sensor: cell(sensor),
      anchor: cell(anchor),
      time,
      block: "block" in record ? cell("block") : undefined,
    };
  });
  return { rows, anchors: anchor === "text" ? "text" : "vision" };
}

/** From one row to the next where the table has no time, and from one block to the next: more than any guard. */
const step = { row: s(1), block: minutes(2) };

/** When each row was taken; without a column `time` rows are a second apart in the order of the table, blocks two minutes. */
export function rowTimes(rows: readonly PairRow[]): readonly Micros[] {
  let now = 0;
  return rows.map(({ time, block }, i) => {
    const before = rows[i - 1];
    if (before) now += before.block === block ? step.row : step.block;
    return time ?? micros(now);
  });
}

/** A camera's column may be called by its modality or by what it is. */
const anchorColumns = (anchor: string): readonly string[] =>
  anchor === "text" ? [anchor] : [anchor, "vision", "camera"];

interface Row {
  readonly record: Readonly<Record<string, string>>;
  readonly line: number;
}

function readRecords(text: string, path: string): readonly Row[] {
  try {
    const found = parse(text, { bom: true, columns: true, skip_empty_lines: true, trim: true, info: true });
    return (found as unknown as { record: Record<string, string>; info: { lines: number } }[]).map(
      ({ record, info }) => ({ record, line: info.lines }),
    );
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new SenseError("BAD_ARGUMENT", `${path} is not a CSV: ${cause.message}`, {
      hint: "Put a field that holds a comma into double quotes.",
      cause,
    });
  }
}

function secondsOf(text: string, where: string): Micros {
  const seconds = Number(text);
  const time = micros(seconds * 1e6);
  if (Number.isSafeInteger(time)) return time;
  throw bad(`${where}: time is "${text}", not a number of seconds`, "Write event time in seconds, such as 12.5.");
}

const bad = (message: string, hint: string): SenseError => new SenseError("BAD_ARGUMENT", message, { hint });
