import type { Alert } from "./alert.js";
import { SenseError } from "./errors.js";
import type { Event } from "./event.js";
import { type Duration, type Micros, micros, s } from "./time.js";

export interface MarbleOptions {
  /** Time that one character of a diagram stands for. */
  readonly unit?: Duration;
  /** Time of the first character. */
  readonly start?: Micros;
}

/** What a diagram says, in order of time. */
export type Marble =
  | { readonly kind: "event"; readonly event: Event }
  | { readonly kind: "status"; readonly sensor: string; readonly state: "ok" | "absent"; readonly at: Micros };

type Step = Pick<Event, "phase" | "score"> & { readonly place: number; readonly number: number };

/**
 * The events of diagrams, one a signal: `{"mic.glass": "-##---[#", "mic.lost": "-----##-"}`. `-` nothing, `#` an event
 * lasts, a digit n it lasts with score n/10, `[` the next event begins at once, `>` after the last character: it never
 * ends. Else it ends where its marks do. Blanks are for the reader. Throws `BAD_ARGUMENT`.
 */
export function marbles(diagrams: Readonly<Record<string, string>>, options: MarbleOptions = {}): Marble[] {
  const { unit = s(1), start = micros(0) } = options;
  const at = (place: number): Micros => micros(start + place * unit);
  let seq = 0;
  const all = Object.entries(diagrams).flatMap(([signal, diagram]) =>
    steps(signal, diagram).map((step): Marble => {
      const [sensor = "", concept = ""] = signal.split(".");
      const time = at(step.place);
      if (concept === "lost") {
        return { kind: "status", sensor, state: step.phase === "end" ? "ok" : "absent", at: time };
      }
      const { phase, score } = step;
      const shape = { v: 1, node: "diagram", modality: "other", space: "diagram", latencyUs: 0 } as const;
      const id = `${signal}#${step.number}`;
      return {
        kind: "event",
        event: { ...shape, id, seq: seq++, sensor, concept, phase, score, from: time, to: time, at: time },
      };
    }),
  );
  return all.sort((a, b) => timeOf(a) - timeOf(b));
}

const timeOf = (marble: Marble): number => (marble.kind === "event" ? marble.event.at : marble.at);

/** Characters of a diagram that stand for time. */
export const marbleLength = (diagram: string): number => diagram.replace(/[\s>]/g, "").length;

function steps(signal: string, diagram: string): Step[] {
  const marks = diagram.replace(/\s/g, "");
  const wrong = /[^-#[\d>]|>(?!$)/.exec(marks);
  if (wrong || !/^[a-z0-9_-]+\.[a-z0-9_-]+$/.test(signal)) {
    const what = wrong ? `"${wrong[0]}" at character ${wrong.index + 1}` : "its name";
    throw new SenseError("BAD_ARGUMENT", `the diagram of ${signal} cannot be read: ${what}`, {
      hint: "Write sensor.concept and a line of - # [ and digits, at its end perhaps >.",
    });
  }
  const found: Step[] = [];
  let number = 0;
  let score: number | undefined;
  for (const [place, mark] of [...marks].entries()) {
    const lasts = mark !== "-" && mark !== ">";
    const ends = score !== undefined && (mark === "-" || mark === "[");
    if (ends) found.push({ phase: "end", score: 0, place, number });
    const open = ends ? undefined : score;
    const next = /\d/.test(mark) ? Number(mark) / 10 : (open ?? 1);
    if (lasts && open === undefined) found.push({ phase: "begin", score: next, place, number: ++number });
    else if (lasts && next !== open) found.push({ phase: "update", score: next, place, number });
    if (mark !== ">") score = lasts ? next : undefined;
  }
  if (score !== undefined && !marks.endsWith(">")) found.push({ phase: "end", score: 0, place: marks.length, number });
  return found;
}

export interface DrawOptions extends MarbleOptions {
  readonly rule: string;
  /** Characters of the diagram. */
  readonly length: number;
}

/**
 * The diagram of a rule's alerts: `#` it holds in that span or a part of it, `!` an instant (begin and end have the same
 * time), `-` nothing.
 */
export function draw(alerts: readonly Alert[], { rule, length, unit = s(1), start = micros(0) }: DrawOptions): string {
  const own = alerts.filter((alert) => alert.rule === rule);
  const spans = own
    .filter(({ phase }) => phase === "begin")
    .map(({ id, at }) => ({
      from: at,
      to: own.find((other) => other.id === id && other.phase === "end")?.at ?? Number.POSITIVE_INFINITY,
    }));
  return Array.from({ length }, (_, place) => {
    const from = start + place * unit;
    const inside = spans.filter((span) => span.from < from + unit && (span.to > from || span.from >= from));
    if (inside.length === 0) return "-";
    return inside.some((span) => span.to > span.from) ? "#" : "!";
  }).join("");
}
