import { SenseError } from "../../core/errors.js";

export interface CsvSeries {
  readonly data: number[];
  readonly times: Float64Array | undefined;
  readonly counts: boolean;
}

export interface CsvOptions {
  readonly channels: readonly string[];
  readonly source: string;
}

const timeNames = ["time", "t", "timestamp", "time_s", "seconds"];

/** Parses a CSV with one row a sample. A column is found by its name; without a header the order is `[time,] channels`. */
export function parseCsv(text: string, { channels, source }: CsvOptions): CsvSeries {
  const bad = (what: string, hint = `Columns: time,${channels.join(",")}.`) =>
    new SenseError("BAD_TENSOR", `${source} ${what}`, { hint });
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const head = split(lines[0]!);
  const named = !head.every(isNumber);
  const { time, columns } = locate(head, { named, channels }, bad);
  const data: number[] = [];
  const times: number[] = [];
  for (let n = named ? 1 : 0; n < lines.length; n++) {
    if (lines[n]!.trim() === "") continue;
    const cells = split(lines[n]!);
    for (const column of columns) data.push(numberAt(cells, column, () => bad(`has no number in line ${n + 1}`)));
    if (time === undefined) continue;
    const at = numberAt(cells, time, () => bad(`has no time in line ${n + 1}`));
    if (times.length > 0 && at <= times.at(-1)!) throw bad(`goes back in time in line ${n + 1}`, "Sort it by time.");
    times.push(at);
  }
  if (data.length === 0) throw bad("has no samples");
  return { data, times: time === undefined ? undefined : Float64Array.from(times), counts: false };
}

/** Which column holds the time and which the channels. */
function locate(
  head: readonly string[],
  { named, channels }: { named: boolean; channels: readonly string[] },
  bad: (what: string) => SenseError,
): { time: number | undefined; columns: readonly number[] } {
  if (!named) {
    const extra = head.length - channels.length;
    if (extra !== 0 && extra !== 1) throw bad(`has ${head.length} columns and no header`);
    return { time: extra === 1 ? 0 : undefined, columns: channels.map((_, c) => c + extra) };
  }
  const names = head.map((name) => name.toLowerCase());
  const columns = channels.map((name) => names.indexOf(name.toLowerCase()));
  const missing = channels.filter((_, c) => columns[c] === -1);
  if (missing.length > 0) throw bad(`has no column ${missing.join(", ")}`);
  const time = names.findIndex((name) => timeNames.includes(name));
  return { time: time === -1 ? undefined : time, columns };
}

const split = (line: string): string[] => line.split(/[,;\t]/).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));

const isNumber = (cell: string): boolean => cell !== "" && Number.isFinite(Number(cell));

function numberAt(cells: readonly string[], column: number, fail: () => SenseError): number {
  const cell = cells[column] ?? "";
  if (!isNumber(cell)) throw fail();
  return Number(cell);
}
