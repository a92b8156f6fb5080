import { type Command, InvalidArgumentError } from "commander";
import { parseDuration } from "../../core/duration.js";
import { isSenseError, SenseError } from "../../core/errors.js";
import type { Reading } from "../../core/reading.js";
import type { DeviceFacts } from "../../device/define.js";
import { openDevice } from "../../device/open.js";
import { parseOptions } from "../../device/options.js";
import { ReadingStatistics } from "../../device/statistics.js";
import { systemClock, untilStopped } from "../edge.js";
import { collect, jsonOption } from "../options.js";
import { stderrLog } from "../pino.js";
import { printJson, printLine } from "../print.js";

interface Flags {
  readonly set?: readonly string[];
  readonly duration: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** So many readings are shown. */
const shown = 3;

export function register(program: Command): void {
  program
    .command("probe")
    .description("opens one device and reports rate, gaps, clock offset and drift, and the first readings")
    .argument("<device>", "the name of its adapter, or the path of your own")
    .option("--set <key=value>", "an option of the adapter; several times", collect)
    .option("--duration <d>", "how long to listen", "5s")
    .addOption(jsonOption())
    .action((device: string, flags: Flags, command: Command) =>
      probe(device, { ...command.optsWithGlobals<Flags>(), ...flags }),
    );
}

async function probe(name: string, { set = [], duration, json, verbose = false }: Flags): Promise<void> {
  const device = await openDevice(name);
  const options = parseOptions(device, Object.fromEntries(set.map(parseSetting)));
  const signal = untilStopped(parseDuration(duration));
  const statistics = new ReadingStatistics();
  const first: Reading[] = [];
  let facts: DeviceFacts = {};
  const tell = (more: DeviceFacts): void => {
    facts = { ...facts, ...more };
  };
  const context = { signal, clock: systemClock(), log: stderrLog({ verbose }), folder: ".", tell };
  let ended: string | undefined;
  try {
    for await (const reading of device.readings(options, context)) {
      statistics.add(reading);
      if (first.length < shown) first.push(reading);
      if (signal.aborted) break;
    }
  } catch (error) {
    // What it gave before is what was asked for; one that gave nothing has failed.
    if (first.length === 0 || !isSenseError(error)) throw error;
    ended = error.message;
  }
  if (first.length === 0) {
    const { corrupt = 0 } = facts;
    throw new SenseError("DEVICE_FAILED", `${name} gave nothing in ${duration}, and ${corrupt} damaged pieces`, {
      hint:
        corrupt > 0
          ? "Something comes, but nothing of that form: check the schema, the format or the baud rate."
          : "Give it more time with --duration, or look at its wiring and options.",
    });
  }
  const { readings, rateHz = 0, gaps } = statistics;
  const { lost = 0, corrupt = 0, clock = { offsetUs: 0, driftPpm: 0, source: "arrival" }, ...more } = facts;
  const { modality } = first[0]!;
  const about = {
    device: device.name,
    modality,
    readings,
    rateHz,
    gaps,
    lost,
    corrupt,
    clock,
    ...more,
    ...(ended !== undefined && { ended }),
  };
  if (json) return printJson({ ...about, first: first.map(describe) });
  printLine(
    `${device.name}: ${modality}, ${readings} readings, ${rateHz} Hz, ${gaps} gaps, ${lost} lost, ${corrupt} corrupt`,
  );
  printLine(`clock: offset ${clock.offsetUs} us, drift ${clock.driftPpm} ppm, from ${clock.source}`);
  if (more.decoder) printLine(`decoded by ${more.decoder}`);
  if (more.note) printLine(more.note);
  if (ended !== undefined) printLine(`it ended: ${ended}`);
  for (const reading of first) printLine(JSON.stringify(describe(reading)));
}

/** `key=value`; a value that begins as JSON does is JSON. */
function parseSetting(text: string): [string, unknown] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError(`"${text}" is not key=value.`);
  try {
    return [key, /^[[{]/.test(value) ? JSON.parse(value) : value];
  } catch {
    throw new InvalidArgumentError(`The value of ${key} begins as JSON does, but is none.`);
  }
}

/** A reading without its bulk: the first sample of a block, the range of a frame. */
function describe(reading: Reading): Record<string, unknown> {
  const { kind, time } = reading;
  if (reading.kind === "encoded") return { kind, time, mime: reading.mime, bytes: reading.data.length };
  if (reading.kind === "block") {
    const { channels, rate, data } = reading;
    const values = Object.fromEntries(channels.map((name, c) => [name, Number(data[c]!.toPrecision(6))]));
    return { kind, time, rateHz: rate, samples: data.length / channels.length, first: values };
  }
  const { format, width, height, data, intrinsics } = reading;
  const known = [...data].filter((value) => !Number.isNaN(value));
  const [min, max] = known.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  return {
    kind,
    time,
    format,
    width,
    height,
    valid: known.length / data.length,
    min,
    max,
    ...(intrinsics && { intrinsics }),
  };
}
