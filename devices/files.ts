import { resolve } from "node:path";
import {
  audioChannels,
  type Device,
  type DeviceContext,
  DurationText,
  defineDevice,
  endOf,
  extensionOf,
  ffmpegReadings,
  hz,
  imuChannels,
  isSenseError,
  type ListedFile,
  listFiles,
  micros,
  ms,
  paced,
  physicalOptions,
  type Reading,
  radiometryOf,
  readAudio,
  readBytes,
  readDepth,
  readSeries,
  readThermal,
  SenseError,
  sampleTime,
  withIntrinsics,
} from "sensebind/device";
import * as z from "zod";

type Modality = Reading["modality"];

const images = [".jpg", ".jpeg", ".png", ".webp"];
const videos = [".mp4", ".mkv", ".mov", ".avi", ".webm", ".h264"];
const sounds = [".wav", ".flac", ".mp3", ".ogg"];
const arrays = [".npy", ".npy.gz"];

const extensionsOf: Readonly<Record<Modality, readonly string[]>> = {
  vision: [...images, ...videos],
  audio: sounds,
  depth: [".png", ...arrays],
  thermal: [...images, ...arrays],
  imu: [".csv", ...arrays],
  other: [".csv", ...arrays],
};

const Options = z.strictObject({
  /** File, folder, glob, list.csv, or several of them. */
  path: z.union([z.string(), z.array(z.string()).min(1)]),
  modality: z.enum(["vision", "audio", "depth", "thermal", "imu", "other"]).optional(),
  /** Frames a second of a sequence of pictures; samples a second of a series without times. */
  rate: z.coerce.number().positive().optional(),
  pace: z.enum(["realtime", "fast"]).default("realtime"),
  loop: z.stringbool().or(z.boolean()).default(false),
  /** Event time of the first reading; now in real time, else 2000-01-01. */
  start: z.iso.datetime({ offset: true }).optional(),
  /** Length of a block of sound or of a series. */
  block: DurationText.default(ms(100)),
  /** Column of a list.csv with the paths. */
  column: z.string().default("file"),
  recursive: z.stringbool().or(z.boolean()).default(false),
  /** Names of a series' channels; those of an inertial sensor unless given. */
  channels: z.array(z.string()).min(1).optional(),
  /** What a raw value of a series is multiplied with to be m/s² or rad/s: one factor, or one a channel. */
  scale: z.union([z.coerce.number(), z.array(z.number()).min(1)]).optional(),
  ...physicalOptions,
});
type Options = z.infer<typeof Options>;

/** One file of a sequence, read: its readings with times from its own start, and how long it lasts in microseconds. */
interface Part {
  readonly readings: AsyncIterable<Reading> | Iterable<Reading>;
  /** Length of a still picture; a stream lasts until its end. */
  readonly lasts: number | undefined;
}

type Read = (path: string) => Promise<Part>;

/** Plays files as if they were a sensor. */
const files: Device<Options> = defineDevice({
  name: "files",
  title: "Pictures, video, sound, depth, thermal and inertial files",
  modalities: ["vision", "audio", "depth", "thermal", "imu", "other"],
  options: Options,
  delivery: "all",
  async *readings(options, context) {
    const start = options.start === undefined ? undefined : micros(Date.parse(options.start) * 1e3);
    const { modality, found } = await find(options, context);
    context.tell?.({ clock: { offsetUs: 0, driftPpm: 0, source: "file" } });
    const readings = sequence(found, readerOf(modality, options, context), { options, context });
    yield* paced(readings, { pace: options.pace, start, clock: context.clock, signal: context.signal });
  },
});
export default files;

/** The files, and what they are if neither the options nor the configuration says so. */
async function find(options: Options, context: DeviceContext): Promise<{ modality: Modality; found: ListedFile[] }> {
  const known = options.modality ?? context.modality;
  const extensions = known ? extensionsOf[known] : Object.values(extensionsOf).flat();
  const { folder } = context;
  const { column, recursive } = options;
  const found = await listFiles(options.path, { folder, extensions, column, recursive });
  const extension = extensionOf(found[0]!.path);
  const likely = (["vision", "audio", "imu"] as const).find((modality) => extensionsOf[modality].includes(extension));
  const modality = known ?? likely;
  if (!modality) {
    throw new SenseError("BAD_CONFIG", `files cannot tell what ${resolve(folder, found[0]!.path)} is`, {
      hint: "Set modality: vision, audio, depth, thermal, imu or other.",
    });
  }
  return { modality, found };
}

/** All files one after another on one time line; a file that cannot be read is counted and leaves a gap of its length. */
async function* sequence(
  found: readonly ListedFile[],
  read: Read,
  { options, context }: { options: Options; context: DeviceContext },
): AsyncGenerator<Reading> {
  let corrupt = 0;
  let given = 0;
  let at = 0;
  do {
    const begin = at;
    for (const { path, time } of found) {
      if (context.signal.aborted) return;
      if (time !== undefined) at = begin + time * 1e6;
      let end = at + frameSpan(options);
      try {
        const { readings, lasts } = await read(path);
        if (lasts === undefined) end = at;
        for await (const reading of readings) {
          given += 1;
          const placed = { ...reading, time: micros(at + reading.time) };
          yield placed;
          if (lasts === undefined) end = endOf(placed);
        }
      } catch (error) {
        if (!isUnusable(error)) throw error;
        corrupt += 1;
        context.tell?.({ corrupt });
        context.log.warn({ code: error.code, reason: error.message }, "a file was left out");
        if (given === 0 && corrupt === found.length) throw error;
      }
      at = end;
    }
  } while (options.loop && given > 0);
}

const isUnusable = (error: unknown): error is SenseError =>
  isSenseError(error) &&
  ["BAD_AUDIO", "BAD_IMAGE", "BAD_TENSOR", "DEVICE_FAILED", "FILE_UNREADABLE"].includes(error.code);

/** Microseconds between the pictures of a sequence. */
const frameSpan = ({ rate = 1 }: Options): number => 1e6 / rate;

function readerOf(modality: Modality, options: Options, context: DeviceContext): Read {
  const time = micros(0);
  const still = (reading: Reading): Part => ({ readings: [reading], lasts: frameSpan(options) });
  switch (modality) {
    case "vision":
      return async (path) => {
        if (!images.includes(extensionOf(path))) return { readings: film(path, context), lasts: undefined };
        const data = await readBytes(path);
        return still({ kind: "encoded", modality, time, mime: mimeOf(data, path), data });
      };
    case "depth":
      return async (path) =>
        still(
          withIntrinsics(
            {
              kind: "frame",
              modality,
              time,
              format: "float32",
              ...(await readDepth(path, { unit: options.unit ?? 0.001 })),
            },
            options.intrinsics,
          ),
        );
    case "thermal": {
      const radiometry = radiometryOf(options.radiometry);
      return async (path) => still({ kind: "frame", modality, time, ...(await readThermal(path, { radiometry })) });
    }
    case "audio":
      return async (path) => {
        const { rate, channels, data } = await readAudio(path);
        return { readings: cut({ rate, channels: audioChannels(channels), data }, "audio", options), lasts: undefined };
      };
    case "imu":
    case "other":
      return async (path) => {
        const { rate, scale, channels = imuChannels } = options;
        const series = await readSeries(path, { rate, scale, channels });
        if (series.counts) context.log.warn({ path }, "raw counts are taken as m/s² and rad/s: set `scale`");
        return { readings: cut(series, modality, options), lasts: undefined };
      };
    default:
      return modality satisfies never;
  }
}

/** The frames of a video; times from its start. */
function film(path: string, context: DeviceContext): AsyncIterable<Reading> {
  return ffmpegReadings({ input: ["-i", path], modality: "vision", ends: true, start: micros(0) }, context);
}

/** Told by the first bytes: names lie. */
function mimeOf(bytes: Uint8Array, path: string): "image/jpeg" | "image/png" | "image/webp" {
  const magic = String.fromCharCode(...bytes.subarray(0, 12));
  if (magic.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (magic.startsWith("\x89PNG")) return "image/png";
  if (magic.startsWith("RIFF") && magic.endsWith("WEBP")) return "image/webp";
  throw new SenseError("BAD_IMAGE", `${path} is neither JPEG nor PNG nor WebP`, { hint: "Convert or remove it." });
}

interface Samples {
  readonly rate: number;
  readonly channels: readonly string[];
  readonly data: Float32Array;
  readonly times?: Float64Array | undefined;
}

/** Cuts samples into blocks; where the times of a series have a gap, a block ends before it and the next begins after it. */
function* cut(samples: Samples, modality: "audio" | "imu" | "other", { block }: Options): Generator<Reading> {
  const { rate, channels, data, times } = samples;
  const width = channels.length;
  const count = data.length / width;
  const longest = Math.max(1, Math.round((block * rate) / 1e6));
  for (let from = 0; from < count; ) {
    let to = from + 1;
    while (to < count && to - from < longest && !(times && times[to]! - times[to - 1]! > 1.5 / rate)) to += 1;
    const time = times ? micros((times[from]! - times[0]!) * 1e6) : sampleTime(micros(0), from, hz(rate));
    yield { kind: "block", modality, time, channels, rate: hz(rate), data: data.slice(from * width, to * width) };
    from = to;
  }
}
