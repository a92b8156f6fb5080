import { SenseError } from "../core/errors.js";
import type { Reading } from "../core/reading.js";
import { type Duration, us } from "../core/time.js";
import { startChild } from "./child.js";
import type { DeviceContext } from "./define.js";
import { audioChannels, type MediaFormat, readingOf } from "./media-format.js";
import { mediaPieces } from "./media-stream.js";
import type { Tag } from "./tagged.js";
import type { VideoUnit } from "./video/unit.js";

export interface GstreamerOptions {
  /** What yields the frames, as gst-launch-1.0 takes it; its last element is linked to ours. */
  readonly pipeline: string;
  readonly modality: "vision" | "audio" | "depth" | "thermal";
  /** Caps that the pipeline must end with, as `format=RGB`, without the media type. */
  readonly caps: string;
  /** Elements between the pipeline and the caps. */
  readonly convert?: string;
  /** The pipeline comes to an end (a file): that is no failure, and times count from its start. */
  readonly ends?: boolean;
  readonly latency?: Duration;
}

/** Name of the element whose messages carry the timestamps. */
const tap = "sensebind_tap";

/**
 * Runs a GStreamer pipeline and yields what it gives. A last `identity` prints one line a buffer, with its size and timestamp; the
 * buffers themselves come by file descriptor 3. Both elements are in every GStreamer, and any caps pass (a muxer takes few).
 * Throws `TOOL_MISSING`, `DEVICE_FAILED`.
 */
export async function* gstreamerReadings(options: GstreamerOptions, context: DeviceContext): AsyncGenerator<Reading> {
  const { modality } = options;
  for await (const { format, data, time } of pieces(options, context)) {
    if (format.kind === "video") {
      throw new SenseError("DEVICE_FAILED", "the pipeline gives H.264 that nothing decodes", {
        hint: "Give `decoder`, or end the pipeline with a decoder such as avdec_h264.",
      });
    }
    yield readingOf(format, data, { modality, time });
  }
}

/** The access units of a pipeline that gives H.264. */
export async function* gstreamerUnits(
  options: Pick<GstreamerOptions, "pipeline" | "ends" | "latency">,
  context: DeviceContext,
): AsyncGenerator<VideoUnit> {
  const caps = "video/x-h264,stream-format=byte-stream,alignment=au";
  for await (const { data, time } of pieces({ ...options, modality: "vision", caps }, context)) yield { data, time };
}

async function* pieces(options: GstreamerOptions, context: DeviceContext) {
  const { pipeline, ends = false, latency = us(0) } = options;
  const { signal, clock } = context;
  const hint = "apt install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good";
  await using child = startChild(commandOf(options, splitWords(pipeline)), { signal, hint });
  let format: MediaFormat | undefined;
  let live = false;
  const parse = (line: string): Tag | undefined => {
    // gst-launch says so when it pauses the pipeline, before any buffer.
    live ||= line.startsWith("Pipeline is live");
    const caps = parseCaps(line);
    if (caps) format = formatOf(caps);
    return parseBuffer(line);
  };
  yield* mediaPieces(
    { child, parse, format: () => format, live: () => live, ends, start: clock.now(), latency },
    context,
  );
  if (!ends && !signal.aborted) {
    throw new SenseError("DEVICE_FAILED", "the pipeline came to its end", {
      hint: "Set `ends: true` for a pipeline that reads a file.",
    });
  }
}

function commandOf({ caps, convert, modality }: GstreamerOptions, source: readonly string[]): string[] {
  const media = modality === "audio" ? "audio/x-raw" : "video/x-raw";
  const filter = /^[\w-]+\//.test(caps) ? caps : `${media},${caps}`;
  const between = convert === undefined ? [] : [...splitWords(convert), "!"];
  const identity = ["identity", `name=${tap}`, "silent=false"];
  const sink = ["fdsink", "fd=3", "sync=false", "async=false"];
  return ["gst-launch-1.0", "-v", ...source, "!", ...between, filter, "!", ...identity, "!", ...sink];
}

/** Splits a pipeline into words as a shell does: quotes and backslashes keep spaces together. Throws `BAD_ARGUMENT`. */
export function splitWords(text: string): string[] {
  const words = text.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
  if (words.length === 0 || words.join("").length !== text.replace(/\s/g, "").length + spacesIn(words)) {
    throw new SenseError("BAD_ARGUMENT", `the pipeline ${text} is empty or has an open quote`, {
      hint: "Write it as for gst-launch-1.0: videotestsrc is-live=true ! videoconvert",
    });
  }
  return words.map((word) =>
    word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g, (_, double, single, escaped) =>
      double !== undefined ? double.replace(/\\(["\\])/g, "$1") : (single ?? escaped),
    ),
  );
}

const spacesIn = (words: readonly string[]): number => words.join("").replace(/\S/g, "").length;

const capsLine = new RegExp(`(?:GstIdentity:${tap}|GstFdSink:fdsink\\d+)\\.GstPad:(?:sink|src): caps = (.*)$`);

/** `…/GstIdentity:sensebind_tap.GstPad:sink: caps = video/x-raw, format=(string)RGB, width=(int)320, …` */
function parseCaps(line: string): ReadonlyMap<string, string> | undefined {
  // Our two elements carry the same caps on all their pads; the first line that comes tells them.
  const text = capsLine.exec(line)?.[1];
  if (text === undefined) return undefined;
  const fields = [...text.matchAll(/([\w-]+)=\(\w+\)([^,]+)/g)].map(([, key, value]): [string, string] => [
    key!,
    value!,
  ]);
  return new Map([["media", text.split(",")[0]!], ...fields]);
}

/** `…last-message = chain ******* (sensebind_tap:sink) (2000 bytes, dts: none, pts: 0:00:00.100000000, …` */
function parseBuffer(line: string): Tag | undefined {
  const found = /chain\s.*\((\d+) bytes,.* pts: (?:none|(\d+):(\d+):(\d+\.\d+))/.exec(line);
  if (!found || !line.includes(`(${tap}:sink)`)) return undefined;
  const [, bytes, h, m, sec] = found;
  const time = sec === undefined ? undefined : (Number(h) * 3600 + Number(m) * 60 + Number(sec)) * 1e6;
  return { bytes: Number(bytes), time };
}

function formatOf(caps: ReadonlyMap<string, string>): MediaFormat {
  const media = caps.get("media");
  const [width, height] = [Number(caps.get("width")), Number(caps.get("height"))];
  if (media === "image/jpeg") return { kind: "encoded", mime: "image/jpeg" };
  if (media === "video/x-h264") return { kind: "video", codec: "h264" };
  if (media === "audio/x-raw") {
    return { kind: "block", channels: audioChannels(Number(caps.get("channels"))), rate: Number(caps.get("rate")) };
  }
  // YUYV is asked for only of cameras that send 16-bit counts under its name.
  const format = ({ RGB: "rgb8", GRAY8: "gray8", GRAY16_LE: "gray16", YUY2: "gray16" } as const)[
    caps.get("format") ?? ""
  ];
  if (media !== "video/x-raw" || !format) {
    throw new SenseError("DEVICE_FAILED", `the pipeline gives ${media}`, {
      hint: "End it with what is understood: video/x-raw of RGB, GRAY8 or GRAY16_LE, audio/x-raw, image/jpeg or H.264.",
    });
  }
  return { kind: "frame", format, width, height };
}
