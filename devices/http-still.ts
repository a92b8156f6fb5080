import {
  type Device,
  type Duration,
  DurationText,
  defineDevice,
  micros,
  pause,
  type Reading,
  SenseError,
  s,
} from "sensebind/device";
import * as z from "zod";

const Options = z.strictObject({
  /** Where the camera gives a picture, http or https. */
  url: z.url({ protocol: /^https?$/ }),
  /** From one picture to the next. */
  every: DurationText.default(s(1)),
  timeout: DurationText.default(s(5)),
});

/** A camera that gives one JPEG, PNG or WebP at a time over HTTP: an ESP32-CAM, a snapshot URL. */
const httpStill: Device<z.infer<typeof Options>> = defineDevice({
  name: "http-still",
  title: "Snapshot URLs of network cameras",
  modalities: ["vision"],
  options: Options,
  delivery: "latest",
  async *readings({ url, every, timeout }, { signal, clock }) {
    while (!signal.aborted) {
      const asked = clock.now();
      const { mime, data } = await fetchPicture(url, AbortSignal.any([signal, AbortSignal.timeout(timeout / 1e3)]));
      const came = clock.now();
      if (signal.aborted) return;
      // The picture was taken between question and answer.
      yield { kind: "encoded", modality: "vision", time: micros((asked + came) / 2), mime, data };
      await pause(Math.max(0, every - (clock.now() - asked)) as Duration, signal);
    }
  },
});
export default httpStill;

type Picture = Pick<Extract<Reading, { kind: "encoded" }>, "mime" | "data">;

/** A picture of more than this is none: 64 MiB. */
const largest = 2 ** 26;

async function fetchPicture(url: string, signal: AbortSignal): Promise<Picture> {
  const where = url.replace(/\/\/[^@/]*@/, "//");
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    if (Number(response.headers.get("content-length")) > largest) throw new Error("its answer is too long");
    const data = new Uint8Array(await response.arrayBuffer());
    return { mime: mimeOf(data), data };
  } catch (cause) {
    if (signal.aborted && (cause as Error).name === "AbortError") return { mime: "image/jpeg", data: new Uint8Array() };
    const { message, cause: deeper } = cause as Error & { cause?: NodeJS.ErrnoException };
    const absent = deeper?.code === "ECONNREFUSED" || deeper?.code === "EHOSTUNREACH" || deeper?.code === "ENOTFOUND";
    throw new SenseError(
      absent ? "DEVICE_ABSENT" : "DEVICE_FAILED",
      `${where} gives no picture: ${deeper?.code ?? message}`,
      {
        hint: "Open the address in a browser.",
        cause,
      },
    );
  }
}

function mimeOf(data: Uint8Array): Picture["mime"] {
  const magic = String.fromCharCode(...data.subarray(0, 12));
  if (magic.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (magic.startsWith("\x89PNG")) return "image/png";
  if (magic.startsWith("RIFF") && magic.endsWith("WEBP")) return "image/webp";
  throw new Error("its answer is neither JPEG nor PNG nor WebP");
}
