import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  Backlog,
  type Clock,
  chooseModality,
  type Device,
  type DeviceContext,
  decodeVideo,
  defineDevice,
  FrameStream,
  hz,
  isSenseError,
  type Micros,
  micros,
  type Reading,
  readSchema,
  SenseError,
  type VideoUnit,
} from "sensebind/device";
import * as z from "zod";

const modalities = ["other", "imu", "vision", "audio", "depth", "thermal"] as const;

const Options = z.strictObject({
  /** mqtt://broker:1883, mqtts://, ws://, wss:// */
  url: z.string(),
  topic: z.string(),
  /** `json`: numbers by channel; `jpeg`: a picture; `h264`: an access unit in Annex B form; otherwise the id of a firmware schema whose frames the payload holds. */
  format: z.string().default("json"),
  modality: z.enum(modalities).optional(),
  /** What decodes H.264: `node-webcodecs`, `ffmpeg`, `v4l2m2m`. */
  decoder: z.string().default("ffmpeg"),
  /** Keys of the JSON object, in the order of the channels; all numbers of the first message unless given. */
  channels: z.array(z.string()).min(1).optional(),
  /** Samples a second. */
  rate: z.coerce.number().positive().default(1),
  /** Key of the time at which the (first) sample was taken, and its unit since 1970; arrival unless given. */
  time: z.string().optional(),
  timeUnit: z.enum(["s", "ms", "us"]).default("ms"),
  username: z.string().optional(),
  passwordFile: z.string().optional(),
});
type Options = z.infer<typeof Options>;

interface Message {
  readonly payload: Uint8Array;
  readonly arrival: Micros;
}

/** Messages that wait to be read; more give way, the oldest first. */
const backlog = { delivery: "latest", capacity: 256, bytes: 16 * 2 ** 20 } as const;
const microsPer = { s: 1e6, ms: 1e3, us: 1 } as const;

/** A device that publishes to MQTT itself: an ESP32, a gateway. */
const mqttIn: Device<Options> = defineDevice({
  name: "mqtt-in",
  title: "Readings that a device publishes to an MQTT broker",
  modalities,
  options: Options,
  delivery: "latest",
  readings(options, context) {
    if (options.format !== "h264") return parsed(options, context);
    const open = async function* (inner: DeviceContext): AsyncGenerator<VideoUnit> {
      for await (const { payload, arrival } of received(options, inner)) yield { data: payload, time: arrival };
    };
    return decodeVideo(open, { decoder: options.decoder }, context);
  },
});
export default mqttIn;

async function* parsed(options: Options, context: DeviceContext): AsyncGenerator<Reading> {
  const { log, tell } = context;
  const parse = await parserOf(options, context);
  let corrupt = 0;
  for await (const message of received(options, context)) {
    try {
      yield* parse(message);
    } catch (error) {
      if (!isSenseError(error, "BAD_MESSAGE")) throw error;
      corrupt += 1;
      tell?.({ corrupt });
      log.warn({ topic: options.topic, reason: error.message }, "a message was left out");
    }
  }
}

async function* received(options: Options, context: DeviceContext): AsyncGenerator<Message> {
  const { signal, clock } = context;
  const messages = new Backlog<Message>(backlog, ({ payload }) => payload.length);
  await using _client = await subscribe(options, { messages, clock, context });
  for await (const message of messages) {
    if (signal.aborted) return;
    yield message;
  }
}

async function subscribe(
  { url, topic, username, passwordFile }: Options,
  { messages, clock, context }: { messages: Backlog<Message>; clock: Clock; context: DeviceContext },
): Promise<AsyncDisposable> {
  const { connectAsync } = await import("mqtt");
  const password = passwordFile && (await readFile(resolve(context.folder, passwordFile), "utf8")).trim();
  const where = url.replace(/\/\/[^@/]*@/, "//");
  const absent = (cause: unknown) =>
    new SenseError("DEVICE_ABSENT", `the broker ${where} cannot be reached: ${(cause as Error).message}`, {
      hint: "Check its address, and user and password.",
      cause,
    });
  const credentials = { ...(username && { username }), ...(password && { password }) };
  // The supervisor connects again, with its growing pause; the library must not do so beside it.
  const options = { reconnectPeriod: 0, connectTimeout: 5000, ...credentials };
  const client = await connectAsync(url, options, false).catch((cause: unknown) => {
    throw absent(cause);
  });
  client.on("message", (_, payload) => void messages.put({ payload: new Uint8Array(payload), arrival: clock.now() }));
  client.on("error", () => {});
  client.on("close", () => messages.close(absent(new Error("the connection was closed"))));
  context.signal.addEventListener("abort", () => messages.close(), { once: true });
  if (context.signal.aborted) messages.close();
  await client.subscribeAsync(topic, { qos: 1 }).catch((cause: unknown) => {
    throw absent(cause);
  });
  return { [Symbol.asyncDispose]: () => client.endAsync(true) };
}

type Parse = (message: Message) => Iterable<Reading>;

async function parserOf(options: Options, context: DeviceContext): Promise<Parse> {
  const { tell = () => {}, clock, folder } = context;
  if (options.format === "json")
    return jsonParser(options, chooseModality(modalities, options.modality, context.modality));
  if (options.format === "jpeg") {
    return ({ payload, arrival }) => {
      if (payload[0] !== 0xff || payload[1] !== 0xd8) throw bad("is no JPEG picture");
      return [{ kind: "encoded", modality: "vision", time: arrival, mime: "image/jpeg", data: payload }];
    };
  }
  const stream = new FrameStream(await readSchema(options.format, { folder }), { clock, tell });
  return ({ payload }) => stream.push(payload);
}

/** An object of numbers is one sample; of arrays of one length, that many. */
function jsonParser({ rate, time, timeUnit, ...options }: Options, modality: Reading["modality"]): Parse {
  let known = options.channels;
  return ({ payload, arrival }) => {
    const body = parseObject(payload);
    const channels = known ?? Object.keys(body).filter((key) => key !== time && isSamples(body[key]));
    const rows = channels.map((name) => [body[name]].flat());
    const length = rows[0]?.length ?? 0;
    const uneven = channels.find((name, c) => !isSamples(body[name]) || rows[c]!.length !== length);
    if (uneven !== undefined || length === 0) throw bad(`has no numbers for ${uneven ?? "any channel"}`);
    const data = Float32Array.from({ length: length * channels.length }, (_, i) =>
      Number(rows[i % channels.length]![Math.floor(i / channels.length)]),
    );
    const span = ((length - 1) * 1e6) / rate;
    const taken = time === undefined ? arrival - span : Number(body[time]) * microsPer[timeUnit];
    if (!Number.isFinite(taken)) throw bad(`has no number as its time, ${time}`);
    // Only a message that is believed says which channels there are: a stray first one would refuse all others.
    known = channels;
    return [{ kind: "block", modality, time: micros(taken), channels, rate: hz(rate), data }];
  };
}

const isSamples = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 && value.every(Number.isFinite) : Number.isFinite(value);

function parseObject(payload: Uint8Array): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(payload));
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    throw bad("is not JSON");
  }
  throw bad("is no JSON object");
}

const bad = (what: string): SenseError =>
  new SenseError("BAD_MESSAGE", `the message ${what}`, {
    hint: 'Publish for instance {"ax": 0.1, "ay": 0, "az": 9.8}.',
  });
