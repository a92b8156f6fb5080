import { readFile } from "node:fs/promises";
import { parse } from "csv-parse/sync";
import { SenseError } from "../../core/errors.js";
import type { Micros } from "../../core/time.js";

/** When a concept was really there, in µs of event time or in seconds since the recording began. */
export interface Label {
  readonly concept: string;
  /** The sensor that should notice; any unless given. */
  readonly sensor?: string;
  readonly from: Micros;
  readonly to: Micros;
}

/** Below this a time is seconds since the recording began, from it on µs since 1970: 1e9 s are 31 years, 1e9 µs 17 minutes. */
const epoch = 1e9;

/**
 * Labelled intervals of a recording that began at `start`, from a CSV with the header `concept,from,to` and perhaps `sensor`.
 * Throws `FILE_UNREADABLE`, and `BAD_ARGUMENT` with the line for one that is no interval.
 */
export async function readIntervals(path: string): Promise<(start: Micros) => readonly Label[]> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new SenseError("FILE_UNREADABLE", `${path} cannot be read (${cause.code ?? cause.message})`, {
      hint: "Check the path and its permissions.",
      cause,
    });
  });
  let rows: Record<string, string>[];
  try {
    rows = parse(text, { bom: true, columns: true, skip_empty_lines: true, trim: true });
  } catch (cause) {
    throw new SenseError("BAD_ARGUMENT", `${path} is not a CSV: ${(cause as Error).message}`, { hint: form, cause });
  }
  const marks = rows.map((row, i) => mark(row, `${path}:${i + 2}`));
  if (marks.length === 0) throw new SenseError("BAD_ARGUMENT", `${path} labels nothing`, { hint: form });
  return (start) =>
    marks.map(({ from, to, ...rest }) => ({ ...rest, from: timeOf(from, start), to: timeOf(to, start) }));
}

const form =
  "The first line is concept,from,to or concept,from,to,sensor; times are seconds since the recording began.";

interface Mark {
  readonly concept: string;
  readonly sensor?: string;
  readonly from: number;
  readonly to: number;
}

function mark({ concept = "", from = "", to = "", sensor = "" }: Record<string, string>, where: string): Mark {
  const [began, ended] = [from, to].map((value) => (value === "" ? Number.NaN : Number(value))) as [number, number];
  if (concept !== "" && began >= 0 && ended >= began) {
    return { concept, ...(sensor !== "" && { sensor }), from: began, to: ended };
  }
  throw new SenseError("BAD_ARGUMENT", `${where}: "${concept},${from},${to}" is no labelled interval`, { hint: form });
}

const timeOf = (value: number, start: Micros): Micros =>
  Math.round(value < epoch ? start + value * 1e6 : value) as Micros;
