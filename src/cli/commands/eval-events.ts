import { writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import type { Config } from "../../config.js";
import { parseDuration } from "../../core/duration.js";
import { SenseError } from "../../core/errors.js";
import { nearest } from "../../core/suggest.js";
import { type Duration, micros, s } from "../../core/time.js";
import { untilStopped } from "../edge.js";
import { curve } from "../events/curve.js";
import { type Label, readIntervals } from "../events/labels.js";
import { type EventReport, matchEvents } from "../events/match.js";
import { plot } from "../events/plot.js";
import { type Watched, watch } from "../events/watch.js";
import { loadConfig } from "../load-config.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";
import { group } from "../program.js";

interface Flags {
  readonly config: string;
  readonly tolerance: Duration;
  readonly plot?: string;
  readonly json?: boolean;
}

const tolerance = new Option("--tolerance <duration>", "how far an event may be from its label")
  .default(s(1), "1s")
  .argParser(parseDuration);

export function register(program: Command): void {
  group(program, "eval", "how well a bundle does on your own files")
    .command("events")
    .description("which labelled events of a recording are found, how late, and how many false alarms come")
    .argument("<recording.mcap>", "made by `sensebind record`")
    .argument("<labels.csv>", "header concept,from,to and perhaps sensor; seconds since the recording began")
    .requiredOption("--config <c.yaml>", "the configuration with the concepts")
    .addOption(tolerance)
    .option("--plot <file.svg>", "events found over false alarms an hour, for every threshold")
    .addOption(jsonOption())
    .action(evaluate);
}

async function evaluate(recording: string, labelsPath: string, flags: Flags): Promise<void> {
  const { tolerance } = flags;
  const intervals = await readIntervals(labelsPath);
  const { config, folders } = await loadConfig(flags.config);
  checkNames(intervals(micros(0)), config, labelsPath);
  const seen = await watch(recording, config, { folders, signal: untilStopped() });
  const labels = intervals(seen.start);
  const ids = [...new Set(seen.sights.map(({ concept }) => concept))];
  const hours = (seen.end - seen.start) / 3600e6;
  const options = { hours, tolerance };
  const of = <T extends { readonly concept: string }>(items: readonly T[], id: string): readonly T[] =>
    items.filter(({ concept }) => concept === id);
  const reports = Object.fromEntries(ids.map((id) => [id, matchEvents(of(labels, id), of(seen.spans, id), options)]));
  const all = matchEvents(labels, seen.spans, options);
  if (flags.plot) {
    const lines = ids
      .filter((id) => of(labels, id).length > 0)
      .map((id) => ({ name: id, points: curve(of(labels, id), of(seen.sights, id), options), mark: reports[id]! }));
    await writeFile(flags.plot, plot(lines, { title: "Events found and false alarms", hours }));
  }
  if (flags.json) return printJson({ hours, all, concepts: reports });
  for (const [id, report] of [...Object.entries(reports), ["all", all] as const]) printLine(sentence(id, report));
  printLine(watchedText(seen, hours));
}

/** A label that nothing can find would count as missed, and nobody would know why. */
function checkNames(labels: readonly Label[], { concepts, sensors }: Config, path: string): void {
  for (const { concept, sensor } of labels) {
    const [name, known] = concept in concepts ? [sensor, Object.keys(sensors)] : [concept, Object.keys(concepts)];
    if (name === undefined || known.includes(name)) continue;
    const near = nearest(name, known);
    throw new SenseError("BAD_ARGUMENT", `${path} labels "${name}", which the configuration does not have`, {
      hint: near ? `Did you mean "${near}"?` : `There are: ${known.join(", ")}.`,
    });
  }
}

function sentence(
  id: string,
  { labels, found, events, falseAlarms, precision, falseAlarmsPerHour, latencySeconds }: EventReport,
): string {
  const late = latencySeconds ? `, ${latencySeconds.median.toFixed(1)} s late (median)` : "";
  const share = `precision ${(100 * precision).toFixed(1)}%`;
  return `${id}: ${found} of ${labels} found${late}; ${events} events, ${falseAlarms} false (${share}, ${falseAlarmsPerHour.toFixed(2)} an hour)`;
}

const watchedText = ({ windows }: Watched, hours: number): string =>
  `${windows} windows in ${(60 * hours).toFixed(1)} minutes`;
