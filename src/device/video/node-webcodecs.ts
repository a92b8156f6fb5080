import { createWriteStream } from "node:fs";
import { Socket } from "node:net";
import { argv } from "node:process";
import { ByteReader } from "../byte-reader.js";
import type { FrameSize } from "./decoder.js";
import { codecOf, isKeyUnit } from "./h264.js";
import { readIvf } from "./ivf.js";
import { shrinkToRgb } from "./shrink.js";

/**
 * The entry of a process that decodes with node-webcodecs: H.264 in IVF comes in, framecrc lines and RGB pixels go out, as ffmpeg does
 * it. A process of its own because the library crashes in worker threads, and what it crashes must not be us.
 */

/** What is used of the library (W3C WebCodecs); it is optional, so its own types may be missing. */
interface WebCodecs {
  readonly VideoDecoder: new (on: { output(frame: VideoFrame): void; error(error: Error): void }) => VideoDecoder;
  readonly EncodedVideoChunk: new (init: { type: "key" | "delta"; timestamp: number; data: Uint8Array }) => object;
}
interface VideoDecoder {
  configure(config: { codec: string; optimizeForLatency: boolean }): void;
  decode(chunk: object): void;
  flush(): Promise<void>;
  close(): void;
}
interface VideoFrame {
  readonly timestamp: number;
  readonly codedWidth: number;
  readonly codedHeight: number;
  allocationSize(options: { format: "RGBA" }): number;
  copyTo(out: Uint8Array, options: { format: "RGBA" }): Promise<unknown>;
  close(): void;
}

const lines = createWriteStream("", { fd: 1 });
const pixels = createWriteStream("", { fd: 3 });
/** Any profile that every decoder has: whether there is one at all shows when it is configured. */
const plainest = "avc1.42e01e";

async function load(): Promise<WebCodecs> {
  // Not in the types: an installation without it must still compile.
  const library: string = "node-webcodecs";
  const loaded = (await import(library)) as WebCodecs & { readonly default?: WebCodecs };
  const webCodecs = loaded.default ?? loaded;
  const trial = new webCodecs.VideoDecoder({ output: (frame) => frame.close(), error: () => {} });
  trial.configure({ codec: plainest, optimizeForLatency: true });
  trial.close();
  return webCodecs;
}

async function decode({ VideoDecoder, EncodedVideoChunk }: WebCodecs, size: FrameSize | undefined): Promise<void> {
  let told = "";
  const give = async (frame: VideoFrame): Promise<void> => {
    const rgba = new Uint8Array(frame.allocationSize({ format: "RGBA" }));
    const from = { width: frame.codedWidth, height: frame.codedHeight };
    const to = size ?? from;
    await frame.copyTo(rgba, { format: "RGBA" });
    const stamp = frame.timestamp;
    frame.close();
    const rgb = shrinkToRgb(rgba, from, to);
    const dimensions = `#dimensions 0: ${to.width}x${to.height}\n`;
    lines.write(`${dimensions === told ? "" : dimensions}0, ${stamp}, ${stamp}, 0, ${rgb.length}, 0\n`);
    told = dimensions;
    pixels.write(rgb);
  };
  const decoder = new VideoDecoder({
    output: (frame) => void give(frame),
    // Its texts hold garbage now and then.
    error: () => void lines.write("#corrupt 0: 1\n"),
  });
  let configured = false;
  for await (const { stamp, data } of readIvf(new ByteReader(new Socket({ fd: 0 })))) {
    const codec = codecOf(data);
    if (!configured && codec) decoder.configure({ codec, optimizeForLatency: true });
    configured ||= codec !== undefined;
    if (configured)
      decoder.decode(new EncodedVideoChunk({ type: isKeyUnit(data) ? "key" : "delta", timestamp: stamp, data }));
  }
  // Closing without a flush leaks.
  if (configured) await decoder.flush();
  decoder.close();
}

const [, , width, height] = argv;
const size = width && height ? { width: Number(width), height: Number(height) } : undefined;
try {
  const library = await load();
  lines.write("#ready\n#tb 0: 1/1000000\n");
  await decode(library, size);
} catch (error) {
  const words = error instanceof Error ? error.message.split("\n")[0] : String(error);
  lines.write(`#missing ${words}\n`);
}
