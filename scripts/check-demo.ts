import { text } from "node:stream/consumers";
import { Alert } from "../src/core/alert.js";
import { Event } from "../src/core/event.js";

/** Reads what `demo --json` printed and fails unless it shows what the README promises. */
const lines = (await text(process.stdin))
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Record<string, unknown>);
const events = lines.filter((line) => "concept" in line).map((line) => Event.parse(line));
const alerts = lines.filter((line) => "rule" in line).map((line) => Alert.parse(line));
const begins = events.filter((event) => event.phase === "begin");
const ends = new Set(events.filter((event) => event.phase === "end").map((event) => event.id));

const promises: readonly (readonly [string, boolean])[] = [
  ["at least six events begin", begins.length >= 6],
  ["from at least three modalities", new Set(begins.map((event) => event.modality)).size >= 3],
  ["each begin has its end", begins.every((event) => ends.has(event.id))],
  ["an alert of several sensors begins", alerts.some((alert) => alert.phase === "begin" && alert.because.length > 1)],
  ["a summary closes", lines.some((line) => "summary" in line)],
];
for (const [promise, kept] of promises) {
  process.stdout.write(`${kept ? "ok" : "NOT"}: ${promise}\n`);
  if (!kept) process.exitCode = 1;
}
