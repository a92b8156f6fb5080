import type { Alert } from "../core/alert.js";
import type { Event } from "../core/event.js";
import type { RunMessage } from "../pipeline/run.js";
import { printJson, printLine } from "./print.js";

const phases: Record<Event["phase"], string> = { begin: "begins", update: "goes on", end: "ends" };

/** `08:30:12.250` of an event time. */
const clockTime = (at: number): string => new Date(at / 1e3).toISOString().slice(11, 23);

const eventLine = ({ at, sensor, concept, phase, score, reason }: Event): string =>
  `${clockTime(at)}  ${sensor.padEnd(10)} ${concept.padEnd(18)} ${phases[phase].padEnd(8)} ${score.toFixed(2)}${reason ? `  (${reason})` : ""}`;

const alertLine = ({ at, rule, phase, because }: Alert): string =>
  `${clockTime(at)}  ALERT      ${rule.padEnd(18)} ${phases[phase].padEnd(8)} because of ${because.length} event${because.length === 1 ? "" : "s"}`;

/** An event or alert as a line, or as its JSON document. Other messages are not results and print nothing here. */
export function showResult(message: RunMessage, { json }: { readonly json: boolean }): void {
  if (message.kind === "event") json ? printJson(message.event) : printLine(eventLine(message.event));
  if (message.kind === "alert") json ? printJson(message.alert) : printLine(alertLine(message.alert));
}
