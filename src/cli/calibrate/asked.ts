import { checkClocks } from "../../align/pairs/match.js";
import { parseDuration } from "../../core/duration.js";
import { SenseError } from "../../core/errors.js";
import { Modality } from "../../core/modality.js";
import type { Duration } from "../../core/time.js";

/** A length of time that is not nothing. */
export function span(text: string): Duration {
  const value = parseDuration(text);
  if (value > 0) return value;
  throw bad(`"${text}" is no time at all`, "Give a duration such as 500ms, 2s, 5m or 1h.");
}

export function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw bad(`"${text}" is no whole number above 0`, "Give one such as 40.");
}

export function portion(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw bad(`"${text}" is no share above 0 and up to 1`, "Give one such as 0.5.");
}

const units: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30 };

/** Bytes from `300MB`, `512MiB`, `1.5GB`. */
export function size(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([kmg]i?)b$/i.exec(text.trim()) ?? [];
  const bytes = Math.round(Number(number) * (units[unit?.toLowerCase() ?? ""] ?? Number.NaN));
  if (bytes > 0) return bytes;
  throw bad(`"${text}" is no size`, "Give one such as 300MB, 512MiB or 1.5GB.");
}

/** What is read before anything is opened. */
export interface Given {
  readonly with?: string | undefined;
  readonly config?: string | undefined;
  readonly duration?: Duration | undefined;
  readonly recording?: string | undefined;
  readonly pairs?: string | undefined;
  readonly out?: string | undefined;
  readonly tolerance?: Duration | undefined;
  readonly clockError?: Duration | undefined;
}

export type Source =
  | { readonly kind: "pairs"; readonly path: string; readonly modality: Exclude<Modality, "text"> }
  | { readonly kind: "recording"; readonly path: string }
  | { readonly kind: "live"; readonly duration: Duration };

const usualDuration = span("20m");

/** Where pairs come from, what they are bound to and where the bundle goes. Throws `BAD_ARGUMENT`, `CLOCKS_APART`. */
export function askedFor(sensor: string, given: Given): { source: Source; camera: string; out: string } {
  const { out, pairs, recording } = given;
  if (out === undefined) throw bad("--out is missing", "Name the folder of the bundle that is to be made.");
  if (pairs !== undefined && recording !== undefined) {
    throw bad("--pairs and --recording were both given", "Learn from one of them.");
  }
  const source = sourceOf(sensor, given);
  if (given.duration !== undefined && source.kind !== "live") {
    throw bad(`--duration says how long to record, but --${source.kind} was given`, "Leave one of them out.");
  }
  checkClocks(given);
  const camera = given.with ?? (source.kind === "pairs" ? "vision" : undefined);
  if (camera === undefined) throw bad("--with is missing", "Name the camera that looks at the same place.");
  if (camera === sensor) throw bad(`${sensor} cannot be bound to itself`, "Name the camera with --with.");
  return { source, camera, out };
}

function sourceOf(sensor: string, { pairs, recording, config, duration = usualDuration }: Given): Source {
  if (recording !== undefined) return { kind: "recording", path: recording };
  if (pairs === undefined) {
    if (config !== undefined) return { kind: "live", duration };
    throw bad("there is nothing to learn from", "Give --config to record now, --recording or --pairs.");
  }
  const modality = Modality.exclude(["text", "vision"]).safeParse(sensor);
  if (modality.success) return { kind: "pairs", path: pairs, modality: modality.data };
  throw bad(
    `with --pairs the sensor is named by its modality, not "${sensor}"`,
    "For instance: sensebind calibrate thermal --pairs pairs.csv",
  );
}

export const bad = (message: string, hint: string): SenseError => new SenseError("BAD_ARGUMENT", message, { hint });
