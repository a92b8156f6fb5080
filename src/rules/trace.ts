import * as z from "zod";
import { SenseError } from "../core/errors.js";
import { Event } from "../core/event.js";
import { Id, NodeId } from "../core/modality.js";
import type { Micros } from "../core/time.js";
import { type Input, sensorStates } from "./input.js";

const instant = z.int().nonnegative();

/** What rules need of a line that is an event; the rest of it is not looked at. */
const EventLine = z.object({
  id: Event.shape.id,
  seq: Event.shape.seq.default(0),
  node: NodeId.default("trace"),
  sensor: Id,
  concept: Id,
  phase: Event.shape.phase,
  score: Event.shape.score.default(1),
  from: instant.optional(),
  to: instant.optional(),
  at: instant.optional(),
});

/** A line that is a sensor's status. */
const StatusLine = z.object({ sensor: Id, state: z.enum(sensorStates), at: instant });

/** Reads one line of a trace. Throws `BAD_TRACE` with the line's number. */
export function readTraceLine(text: string, line: number): Input {
  const value = json(text, line);
  if (typeof value === "object" && value !== null && "state" in value) {
    const { sensor, state, at } = checked(StatusLine, value, line);
    return { kind: "status", sensor, state, at: at as Micros };
  }
  const { id, seq, node, sensor, concept, phase, score, from, to, at: told } = checked(EventLine, value, line);
  const at = told ?? (phase === "begin" ? from : to) ?? from;
  if (at === undefined) throw bad(line, "the event has no time", "Give `at`, in µs since the Unix epoch.");
  // One literal: an object made by spreading is read several times slower by the engine's hot loop.
  const event: Event = {
    v: 1,
    id,
    seq,
    node,
    sensor,
    modality: "other",
    concept,
    phase,
    score,
    from: from ?? at,
    to: to ?? at,
    at,
    space: "",
    latencyUs: 0,
  };
  return { kind: "event", event };
}

function json(text: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw bad(line, "it is not JSON", "A trace has one JSON object a line.", cause);
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown, line: number): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw bad(
    line,
    `${path.join(".") || "the value"}: ${message}`,
    "`sensebind schema event` prints the form of an event.",
  );
}

const bad = (line: number, message: string, hint: string, cause?: unknown): SenseError =>
  new SenseError("BAD_TRACE", `line ${line} of the trace is no event: ${message}`, { hint, cause });
