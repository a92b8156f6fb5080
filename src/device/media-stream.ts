import { SenseError } from "../core/errors.js";
import { type Duration, type Micros, micros } from "../core/time.js";
import type { Child } from "./child.js";
import type { DeviceContext } from "./define.js";
import { HoldBack } from "./hold-back.js";
import { LiveTime } from "./live-time.js";
import type { MediaFormat } from "./media-format.js";
import { type Tag, type Tagged, taggedData } from "./tagged.js";

/** A program that announces each piece of its data in a line. */
export interface MediaSource {
  readonly child: Child;
  readonly parse: (line: string) => Tag | undefined;
  /** What the data are, once a line has told it. */
  readonly format: () => MediaFormat | undefined;
  /** It reads something that has an end: times count from `start`, and it goes as fast as it is read. */
  readonly ends: boolean;
  readonly start: Micros;
  readonly latency: Duration;
  /** Whether it is live, where the program says so before its first piece. */
  readonly live?: () => boolean;
}

/** A piece of the stream with its event time. */
export interface MediaPiece {
  readonly format: MediaFormat;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly time: Micros;
}

/** Pieces that may come before the line that tells their format. */
const mostEarly = 512;

/** A step of a sound's own timestamps by more than this is no rounding: samples are missing. */
const leastGapUs = 10_000;

const unknownKind = (): SenseError =>
  new SenseError("DEVICE_FAILED", "the pipeline gave data and did not say of which kind", {
    hint: "Try it by hand: gst-launch-1.0 -v … ! identity silent=false ! fakesink",
  });

/** The pieces of a stream, timed by its own timestamps; a source that ought to be live and is not is held to its own pace. */
export async function* mediaPieces(source: MediaSource, context: DeviceContext): AsyncGenerator<MediaPiece> {
  const { child, ends, start, latency } = source;
  const { signal, clock, tell = () => {} } = context;
  const holdBack = new HoldBack();
  let live = new LiveTime({ clock, latency, tell });
  if (ends) tell({ clock: { offsetUs: 0, driftPpm: 0, source: "file" } });
  let origin: number | undefined;
  let due: number | undefined;
  let lost = 0;
  const count = (media: number | undefined, span: number, rate: number): void => {
    const gap = media === undefined || due === undefined ? 0 : media - due;
    if (gap > leastGapUs) {
      lost += Math.round((gap * rate) / 1e6);
      tell({ lost });
    }
    due = media === undefined ? undefined : media + span;
  };
  const timed = async ({ tag, data }: Tagged, format: MediaFormat): Promise<MediaPiece> => {
    if (!ends && tag.time !== undefined && (await holdBack.due(tag.time, { live: source.live?.(), signal }))) {
      tell({ note: "the source is not live: it is held to its own pace" });
      live = new LiveTime({ clock, latency, tell });
    }
    const span = format.kind === "block" ? (data.length / 4 / format.channels.length / format.rate) * 1e6 : 0;
    origin ??= tag.time ?? 0;
    if (format.kind === "block") count(tag.time, span, format.rate);
    if (ends) return { format, data, time: micros(start + (tag.time ?? origin) - origin) };
    return { format, data, time: span > 0 ? live.ofBlock(tag.time, span) : live.of(tag.time) };
  };
  // The line that tells the format comes from another thread of the program than the first pieces, now and then after them.
  const early: Tagged[] = [];
  for await (const tagged of taggedData({ lines: child.stdout, data: child.data }, source.parse)) {
    if (signal.aborted) return;
    early.push(tagged);
    const format = source.format();
    if (format) for (const held of early.splice(0)) yield await timed(held, format);
    else if (early.length > mostEarly) throw unknownKind();
  }
  const format = source.format();
  if (early.length > 0 && !signal.aborted && !format) throw unknownKind();
  if (format && !signal.aborted) for (const held of early) yield await timed(held, format);
  await child.ended();
}
